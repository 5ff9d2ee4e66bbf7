//! The small files without BITS: what any program on tokio and hyper takes for them.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{Result, timed};

/// Fetches one file again and again as BITS does: asked for by HEAD, then by GET, and written under
/// another name than it has in the end.
pub(crate) fn measure(url: &str, files: usize) -> Result<Duration> {
    let url: Uri = url.parse()?;
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let mut connection = runtime.block_on(connect(&url))?;
    let mut fetch = |name: &str| runtime.block_on(fetch(&mut connection, &url, &folder.path().join(name)));
    fetch("first")?;
    timed(|| (0..files).try_for_each(|number| fetch(&number.to_string())))
}

async fn connect(url: &Uri) -> Result<SendRequest<Empty<Bytes>>> {
    let authority = url.authority().ok_or("a URL without a server")?;
    let stream = TcpStream::connect(authority.as_str()).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn fetch(connection: &mut SendRequest<Empty<Bytes>>, url: &Uri, local: &Path) -> Result<()> {
    ask(connection, Method::HEAD, url).await?;
    let content = ask(connection, Method::GET, url).await?;
    let temporary = local.with_extension("tmp");
    std::fs::write(&temporary, content)?;
    std::fs::rename(temporary, local)?;
    Ok(())
}

async fn ask(connection: &mut SendRequest<Empty<Bytes>>, method: Method, url: &Uri) -> Result<Bytes> {
    let authority = url.authority().ok_or("a URL without a server")?;
    let request = Request::builder().method(method).uri(url.path()).header("host", authority.as_str());
    connection.ready().await?;
    let answer = connection.send_request(request.body(Empty::new())?).await?;
    if !answer.status().is_success() {
        return Err(format!("{url} answers {}", answer.status()).into());
    }
    Ok(answer.into_body().collect().await?.to_bytes())
}
