//! Reads answers: bodies within limits, and what a refusal says.

use bytes::Bytes;
use reqwest::{
    Response,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::Deserialize;
use url::Url;

use super::{Request, text_header, time_there};
use crate::{Client, Context, Error, Rejection, retry};

/// How much of an error's body is read, in bytes.
const MAX_ERROR_BODY: usize = 16 << 10;
/// How much of a registry's own words goes into a message, in characters.
const MAX_ERROR_TEXT: usize = 300;

impl Client {
    /// Returns the next bytes of an answer.
    pub(crate) async fn read_chunk(
        &self,
        answer: &mut Response,
        context: &Context,
    ) -> Result<Option<Bytes>, Error> {
        let idle = self.inner.options.idle_timeout;
        match tokio::time::timeout(idle, answer.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(Error::SendRequest {
                context: Box::new(context.clone()),
                source: error.without_url(),
            }),
            Err(_) => Err(Error::AwaitAnswer { context: Box::new(context.clone()), idle }),
        }
    }

    /// Reads a whole answer of at most `limit` bytes.
    pub(crate) async fn read_body(
        &self,
        mut answer: Response,
        limit: u64,
        context: &Context,
    ) -> Result<Bytes, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = self.read_chunk(&mut answer, context).await? {
            if (body.len() + chunk.len()) as u64 > limit {
                let problem = format!("the answer is larger than {limit} bytes");
                return Err(Error::ReadAnswer { context: Box::new(context.clone()), problem });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.into())
    }

    /// Sends and reads the whole answer; a body that breaks off is asked for again.
    pub(crate) async fn send_and_read(
        &self,
        request: &Request,
        limit: u64,
    ) -> Result<(HeaderMap, Url, Bytes), Error> {
        let mut attempt = 0;
        loop {
            let answer = self.send(request).await?;
            let (headers, url) = (answer.headers().clone(), answer.url().clone());
            match self.read_body(answer, limit, &request.context).await {
                Ok(body) => return Ok((headers, url, body)),
                Err(error) => self.wait_after(error, attempt).await?,
            }
            attempt += 1;
        }
    }

    pub(super) async fn read_rejection(&self, mut answer: Response) -> Rejection {
        let retry_after = text_header(answer.headers(), &RETRY_AFTER);
        let now = time_there(answer.headers());
        let retry_after = retry_after.and_then(|value| retry::parse_retry_after(value, now));
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        let idle = self.inner.options.idle_timeout;
        while let Ok(Ok(Some(chunk))) = tokio::time::timeout(idle, answer.chunk()).await {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ERROR_BODY {
                break;
            }
        }
        body.truncate(MAX_ERROR_BODY);
        let (code, message) = read_error_body(&body);
        Rejection { status, code, message, retry_after }
    }
}

/// Returns code and message of the distribution specification's error body, or the text of another one.
fn read_error_body(body: &[u8]) -> (String, String) {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        code: serde_json::Value,
        #[serde(default)]
        message: serde_json::Value,
    }
    let text = |value: &serde_json::Value| shorten(value.as_str().unwrap_or_default());
    if let Ok(Errors { errors }) = serde_json::from_slice(body) {
        return errors.first().map(|one| (text(&one.code), text(&one.message))).unwrap_or_default();
    }
    let raw = String::from_utf8_lossy(body);
    // Pages for people say nothing here.
    let is_markup = raw.trim_start().starts_with('<');
    (String::new(), if is_markup { String::new() } else { shorten(&raw) })
}

/// Makes a registry's own words safe for a status field and a terminal.
fn shorten(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_ERROR_TEXT).collect();
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_are_read_and_made_harmless() {
        let cases: [(&[u8], (&str, &str)); 6] = [
            (
                br#"{"errors":[{"code":"DENIED","message":"no \u001b[31mway"}]}"#,
                ("DENIED", "no  [31mway"),
            ),
            (br#"{"errors":[]}"#, ("", "")),
            (br#"{"errors":[{"code":404,"message":null}]}"#, ("", "")),
            (b"<html>502</html>", ("", "")),
            (b"upstream\ngone", ("", "upstream gone")),
            (b"", ("", "")),
        ];
        for (body, (code, message)) in cases {
            assert_eq!(
                read_error_body(body),
                (code.to_owned(), message.to_owned()),
                "{}",
                body.escape_ascii()
            );
        }
    }
}
