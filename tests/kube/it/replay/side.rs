//! Who answers: the fake or a real server.

use arc_kube_fake::{
    ApiServer,
    real::{self, RealServer},
};
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use serde_json::Value;

pub(crate) enum Side {
    Fake(ApiServer),
    Real(Box<RealServer>),
}

/// Status, content type and body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) body: Vec<u8>,
}

impl Side {
    pub(crate) fn is_real(&self) -> bool {
        matches!(self, Self::Real(_))
    }

    pub(crate) async fn ask(&self, request: Request<String>) -> Answer {
        let (head, body) = match self {
            Self::Fake(server) => {
                let response = server.handle(request.map(Body::from)).await.unwrap();
                let (head, body) = response.into_parts();
                (head, body.collect().await.unwrap().to_bytes())
            }
            Self::Real(server) => {
                let mut request = request.map(|text| text.into_bytes().into());
                // A manager without a name of its own is named by its program.
                request.headers_mut().insert("user-agent", "unknown".parse().unwrap());
                let response = server.client().send(request).await.unwrap();
                let (head, body) = response.into_parts();
                (head, body.collect().await.unwrap().to_bytes())
            }
        };
        let kind = head.headers["content-type"].to_str().unwrap().to_owned();
        Answer { status: head.status.as_u16(), kind, body: body.to_vec() }
    }

    /// Does something that is not compared.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) {
        match self {
            Self::Fake(server) => drop(server.call(method, path, body)),
            Self::Real(server) => drop(real::call(&server.client(), method, path, body).await),
        }
    }

    /// Waits until a new kind is served; controllers that come then know it at once.
    pub(crate) async fn settle(&mut self) {
        let Self::Real(server) = self else { return };
        let path = "/apis/example.arc/v1/namespaces/default/widgets";
        server
            .until("the kind is served", async || {
                (server.call("GET", path, &Value::Null).await.0 == 200).then_some(())
            })
            .await;
        server.start_controllers();
    }
}
