//! The files without BITS: what any program on tokio and hyper takes for them.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::{Result, timed};

/// Fetches files as BITS does: each asked for by HEAD, then by GET, and written under another name than
/// it has in the end.
pub(crate) struct Bare {
    runtime: Runtime,
    connection: SendRequest<Empty<Bytes>>,
    folder: TempDir,
}

impl Bare {
    /// `server`: the URL of any of its files.
    pub(crate) fn connect(server: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let connection = runtime.block_on(connect(&server.parse()?))?;
        Ok(Self { runtime, connection, folder: tempfile::tempdir()? })
    }

    /// How long it takes to fetch one file so often.
    pub(crate) fn measure(&mut self, url: &str, times: usize) -> Result<Duration> {
        let url: Uri = url.parse()?;
        let Self { runtime, connection, folder } = self;
        timed(|| {
            (0..times).try_for_each(|number| {
                runtime.block_on(fetch(connection, &url, &folder.path().join(number.to_string())))
            })
        })
    }
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
    ask(connection, Method::HEAD, url).await?.collect().await?;
    let mut content = ask(connection, Method::GET, url).await?;
    let temporary = local.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    while let Some(frame) = content.frame().await {
        if let Some(data) = frame?.data_ref() {
            file.write_all(data)?;
        }
    }
    drop(file);
    std::fs::rename(temporary, local)?;
    Ok(())
}

async fn ask(connection: &mut SendRequest<Empty<Bytes>>, method: Method, url: &Uri) -> Result<Incoming> {
    let authority = url.authority().ok_or("a URL without a server")?;
    let request = Request::builder().method(method).uri(url.path()).header("host", authority.as_str());
    connection.ready().await?;
    let answer = connection.send_request(request.body(Empty::new())?).await?;
    if !answer.status().is_success() {
        return Err(format!("{url} answers {}", answer.status()).into());
    }
    Ok(answer.into_body())
}
