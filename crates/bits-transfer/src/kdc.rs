//! Questions to a KDC, over TCP alone (RFC 4120, 7.2.2): one connection each.

use std::io;
use std::time::Duration;

use bits_auth::KdcRequest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long it may take. A KDC knows nothing of a virtual clock, so that this is time as it passes.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest answer: a ticket with the groups of a user in it is a few tens of kilobytes.
const MOST: u32 = 256 * 1024;

/// What the KDC answers, with its length in front; `None` for one that does not.
pub(crate) async fn ask(request: &KdcRequest) -> Option<Vec<u8>> {
    let KdcRequest { kdc, message } = request;
    match timeout(PATIENCE, answered((kdc.host(), kdc.port()), message)).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::debug!(%kdc, %error, "the KDC does not answer");
            None
        }
        Err(_) => {
            tracing::debug!(%kdc, "the KDC takes too long");
            None
        }
    }
}

async fn answered(kdc: (&str, u16), message: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(kdc).await?;
    stream.write_all(message).await?;
    let length = stream.read_u32().await?;
    if length > MOST {
        return Err(io::Error::other(format!("an answer of {length} bytes")));
    }
    let mut answer = length.to_be_bytes().to_vec();
    stream.take(length.into()).read_to_end(&mut answer).await?;
    // What is missing of it is found by whoever reads it.
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use tokio::runtime::Builder;

    use super::*;

    /// What comes of a KDC that answers so, and what it was asked.
    fn asked(answer: &'static [u8]) -> (Option<Vec<u8>>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let kdc = listener.local_addr().unwrap().to_string().parse().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = vec![0; 7];
            stream.read_exact(&mut question).unwrap();
            stream.write_all(answer).unwrap();
            question
        });
        let request = KdcRequest { kdc, message: b"\0\0\0\x03abc".to_vec() };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let heard = runtime.block_on(ask(&request));
        (heard, server.join().unwrap())
    }

    #[test]
    fn an_answer_comes_with_its_length() {
        assert_eq!(asked(b"\0\0\0\x02xyz"), (Some(b"\0\0\0\x02xy".to_vec()), b"\0\0\0\x03abc".to_vec()));
    }

    #[test]
    fn an_answer_that_is_too_long_is_none() {
        assert_eq!(asked(b"\x7f\xff\xff\xffabc").0, None);
        assert_eq!(asked(b"\0\0").0, None);
    }
}
