//! Every request of a pass that changes something; what it is answered with is in the tables at once.

use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Resource, ResourceExt,
    api::{
        DeleteParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy, Request,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use arc_api::argo::Workflow;

use crate::{
    context::{Context, MANAGER},
    error::{Error, code},
    world::{Key, Raw, Watched},
};

/// A kind that passes write.
pub(crate) trait Written:
    Watched + Resource<Scope = NamespaceResourceScope> + Serialize + DeserializeOwned
{
}

impl<K> Written for K where
    K: Watched + Resource<Scope = NamespaceResourceScope> + Serialize + DeserializeOwned
{
}

/// What builds requests about objects of a kind in a namespace.
fn requests<K: Written>(key: &Key) -> Request {
    Request::new(K::url_path(&(), Some(&key.namespace)))
}

impl Context {
    /// Sends a request that is answered with an object.
    async fn ask<K: Written>(
        &self,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> kube::Result<K> {
        let request = request.map_err(kube::Error::BuildRequest)?;
        let raw: Raw<K> = self.client.request(request).await?;
        raw.read().map_err(kube::Error::SerdeError)
    }

    fn api<K: Written>(&self, key: &Key) -> Api<K> {
        Api::namespaced(self.client.clone(), &key.namespace)
    }

    /// Creates an object; that it exists already is as good.
    pub(crate) async fn create<K: Written>(&self, object: &K) -> Result<(), Error> {
        let key = Key::of(object);
        let how = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let body = serde_json::to_vec(object).map_err(kube::Error::SerdeError);
        let created = match body {
            Ok(body) => self.ask::<K>(requests::<K>(&key).create(&how, body)).await,
            Err(error) => Err(error),
        };
        match created {
            Ok(created) => self.world.written(created),
            // A conflict of another kind is answered with the same code.
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            Err(source) => return Err(Error::new("create", K::KIND.as_str(), &key, source)),
        }
        Ok(())
    }

    /// Creates an object or brings it to what it should be.
    pub(crate) async fn apply<K: Written>(&self, object: &K) -> Result<(), Error> {
        let key = Key::of(object);
        let how = PatchParams::apply(MANAGER).force();
        let request = requests::<K>(&key).patch(&key.name, &how, &Patch::Apply(object));
        let applied = self.ask::<K>(request).await;
        self.world.written(
            applied.map_err(|source| Error::new("apply", K::KIND.as_str(), &key, source))?,
        );
        Ok(())
    }

    /// Writes the status of an object; one that does not exist any more needs none.
    pub(crate) async fn apply_status<K: Written>(
        &self,
        object: &K,
        status: &impl Serialize,
    ) -> Result<(), Error> {
        let key = Key::of(object);
        let patch = json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "metadata": { "name": &*key.name, "uid": object.uid() },
            "status": status,
        });
        let how = PatchParams::apply(MANAGER).force();
        let patch = Patch::Apply(&patch);
        let request = requests::<K>(&key).patch_subresource("status", &key.name, &how, &patch);
        match self.ask::<K>(request).await {
            Ok(written) => self.world.written(written),
            Err(source) if code(&source) == Some(404) => self.world.forgotten(object),
            Err(source) => {
                return Err(Error::new("write the status of", K::KIND.as_str(), &key, source));
            }
        }
        Ok(())
    }

    /// Deletes exactly this state of an object.
    pub(crate) async fn delete<K: Written>(&self, object: &K) -> Result<(), Error> {
        let key = Key::of(object);
        let how = DeleteParams {
            preconditions: Some(Preconditions {
                uid: object.uid(),
                resource_version: object.resource_version(),
            }),
            propagation_policy: Some(PropagationPolicy::Background),
            ..DeleteParams::default()
        };
        match self.api::<K>(&key).delete(&key.name, &how).await {
            Ok(_) => {}
            Err(source) if code(&source) == Some(404) => {}
            Err(source) => return Err(Error::new("delete", K::KIND.as_str(), &key, source)),
        }
        self.world.forgotten(object);
        Ok(())
    }

    /// Ends a workflow that runs; one that does not exist any more has ended.
    pub(crate) async fn terminate(&self, key: &Key) -> Result<(), Error> {
        let patch = json!({ "spec": { "shutdown": "Terminate" } });
        let how = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let request = requests::<Workflow>(key).patch(&key.name, &how, &Patch::Merge(&patch));
        match self.ask::<Workflow>(request).await {
            Ok(written) => self.world.written(written),
            Err(source) if code(&source) == Some(404) => {}
            Err(source) => return Err(Error::new("stop", "Workflow", key, source)),
        }
        Ok(())
    }

    /// Asks the API server whether an object exists: the one read of a pass, where a table may lag behind.
    pub(crate) async fn exists<K: Written>(&self, key: &Key) -> Result<bool, Error> {
        let found = self.api::<K>(key).get_metadata_opt(&key.name).await;
        found
            .map(|found| found.is_some())
            .map_err(|source| Error::new("look for", K::KIND.as_str(), key, source))
    }
}
