//! How to mend a server, in the words of its own configuration where it is known.

use bits_wire::download::CertificateFault;
use http::StatusCode;

/// What is to be mended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cure {
    Name,
    Listening,
    Silence,
    Tls,
    OldTls,
    Certificate(CertificateFault),
    ClientCertificate,
    Downgrade,
    Redirects,
    Credentials,
    OtherScheme,
    Challenge,
    NoAnswer,
    NoHttp,
    Missing,
    Refused,
    Busy,
    OtherStatus,
    Head,
    Length,
    Sizes,
    Body,
    Ranges,
    Multipart,
    Stamp,
    StableStamp,
    Condition,
    Compression,
    Version,
    Proxy,
}

/// Servers that are told what to do in their own words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Server {
    Nginx,
    Apache,
    Caddy,
    Iis,
    S3,
    Azure,
    CloudFront,
}

use Server::{Apache, Azure, Caddy, CloudFront, Iis, Nginx, S3};

/// By what they call themselves, in lower case.
const SERVERS: [(&str, Server); 8] = [
    ("nginx", Nginx),
    ("openresty", Nginx),
    ("apache", Apache),
    ("caddy", Caddy),
    ("microsoft-iis", Iis),
    ("amazons3", S3),
    ("windows-azure-blob", Azure),
    ("cloudfront", CloudFront),
];

/// What helps.
struct Words {
    /// On any server.
    server: &'static str,
    /// On these.
    own: &'static [(Server, &'static str)],
    /// What the client can do instead; empty where it can do nothing.
    client: &'static str,
}

const fn words(server: &'static str, own: &'static [(Server, &'static str)], client: &'static str) -> Words {
    Words { server, own, client }
}

const DYNAMIC: &str = "a foreground job with BITS_JOB_PROPERTY_DYNAMIC_CONTENT (BITS 5.0) asks by GET alone";

impl Cure {
    /// What helps against a status that is no answer of the file's own.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            404 | 410 => Self::Missing,
            403 | 405 => Self::Refused,
            429 | 500..=599 => Self::Busy,
            _ => Self::OtherStatus,
        }
    }

    /// What to do on the server, which calls itself `server`; and what the client can do instead.
    pub(crate) fn told(self, server: Option<&str>) -> (&'static str, &'static str) {
        let name = server.unwrap_or_default().to_ascii_lowercase();
        let known = SERVERS.iter().find(|(begin, _)| name.contains(begin)).map(|(_, server)| *server);
        let words = self.words();
        let own = words.own.iter().find(|(server, _)| Some(*server) == known);
        (own.map_or(words.server, |(_, words)| *words), words.client)
    }

    fn words(self) -> Words {
        match self {
            Self::Certificate(fault) => certificate(fault),
            Self::Name
            | Self::Listening
            | Self::Silence
            | Self::Tls
            | Self::OldTls
            | Self::ClientCertificate
            | Self::Downgrade
            | Self::Redirects
            | Self::Credentials
            | Self::OtherScheme
            | Self::Challenge
            | Self::NoAnswer
            | Self::NoHttp
            | Self::Missing
            | Self::Refused
            | Self::Busy
            | Self::OtherStatus => self.around_the_file(),
            _ => self.of_the_file(),
        }
    }

    fn around_the_file(self) -> Words {
        match self {
            Self::Name => words("give the name an address (A or AAAA), or mend the name in the URL", &[], ""),
            Self::Listening => {
                words("start the server, or open this port; mind firewalls and the addresses it listens on", &[], "")
            }
            Self::Silence => words("answer sooner, or at least send something; BITS gives a silent server up", &[], ""),
            Self::Tls => words(
                "speak TLS 1.2 or 1.3 on this port, with cipher suites of ECDHE and AES-GCM or ChaCha20",
                &[
                    (Nginx, "listen … ssl; ssl_protocols TLSv1.2 TLSv1.3;"),
                    (Apache, "SSLEngine on; SSLProtocol -all +TLSv1.2 +TLSv1.3"),
                ],
                "",
            ),
            Self::OldTls => words(
                "offer TLS 1.2 too",
                &[
                    (Nginx, "ssl_protocols TLSv1.2 TLSv1.3;"),
                    (Apache, "SSLProtocol -all +TLSv1.2 +TLSv1.3"),
                    (Caddy, "tls { protocols tls1.2 tls1.3 }"),
                ],
                "",
            ),
            Self::ClientCertificate => words(
                "make the certificate optional for these files",
                &[(Nginx, "ssl_verify_client optional;"), (Apache, "SSLVerifyClient optional")],
                "IBackgroundCopyJobHttpOptions::SetClientCertificateByID or …ByName",
            ),
            Self::Downgrade => words(
                "redirect to https://, also behind a proxy that ends TLS",
                &[
                    (Nginx, "return 302 https://…; or absolute_redirect off;"),
                    (Apache, "Redirect to https://…; behind a proxy that ends TLS: ServerName https://host"),
                    (Caddy, "redir https://…"),
                ],
                "SetSecurityFlags with BG_HTTP_REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP",
            ),
            Self::Redirects => {
                words("redirect to the file itself, in few steps, by a Location of http:// or https://", &[], "")
            }
            Self::Credentials => words(
                "serve the file without credentials",
                &[],
                "IBackgroundCopyJob2::SetCredentials with the scheme; for NTLM and NEGOTIATE, NULL for user and \
                 password stands for the owner's logon",
            ),
            Self::OtherScheme => words(
                "offer Basic (over HTTPS), Digest, NTLM or Negotiate",
                &[],
                "IBackgroundCopyJobHttpOptions::SetCustomHeaders, if a fixed Authorization header will do",
            ),
            Self::Challenge => words("send WWW-Authenticate with 401, Proxy-Authenticate with 407", &[], ""),
            Self::NoAnswer => {
                words("look into the server's log: it closes the connection instead of answering", &[], "")
            }
            Self::NoHttp => words("speak HTTP/1.1 on this port, with a head of less than 64 KiB", &[], ""),
            Self::Missing => words("put the file there, or mend the path in the URL", &[], ""),
            Self::Refused => words(
                "let anybody read the file; if the URL is signed, sign it anew",
                &[(S3, "sign the URL anew, or allow s3:GetObject"), (Azure, "a SAS that has not expired, with sp=r")],
                "",
            ),
            Self::Busy => words("mend what fails behind the server; BITS tries again and again for 14 days", &[], ""),
            _ => words("answer HEAD by 200 and GET by 200, or 206 for a range", &[], ""),
        }
    }

    fn of_the_file(self) -> Words {
        match self {
            Self::Head => words(
                "answer HEAD as GET, without the body; sign URLs for both",
                &[
                    (Nginx, "limit_except GET { … } lets HEAD through too: remove conditions on $request_method"),
                    (Apache, "Require method GET HEAD; <LimitExcept GET HEAD>"),
                    (Caddy, "method GET HEAD"),
                    (Iis, "requestFiltering: <verbs><add verb=\"HEAD\" allowed=\"true\"/>"),
                    (
                        S3,
                        "a presigned URL holds for one method: serve through CloudFront, whose signatures hold for both",
                    ),
                    (Azure, "a SAS with sp=r holds for HEAD too"),
                    (CloudFront, "allow GET and HEAD in the behavior; do not forward signatures of S3"),
                ],
                DYNAMIC,
            ),
            Self::Length => words(
                "send Content-Length, alone and right: serve a file, not what is made as it is sent",
                &[
                    (Nginx, "gzip off; for these files; behind proxy_pass the upstream has to send Content-Length"),
                    (Apache, "SetEnv no-gzip 1 for these files; no output filters"),
                    (Caddy, "keep these files from encode and templates"),
                    (Iis, "doDynamicCompression=\"false\" for these files"),
                ],
                DYNAMIC,
            ),
            Self::Sizes => words(
                "let HEAD and GET tell the same size: no compression, and one version of the file on all servers",
                &[],
                DYNAMIC,
            ),
            Self::Body => words(
                "send as many bytes as announced; raise time and size limits of the server and of proxies",
                &[
                    (Nginx, "behind proxy_pass: proxy_read_timeout, proxy_max_temp_file_size 0;"),
                    (Apache, "behind mod_proxy: ProxyTimeout"),
                ],
                "",
            ),
            Self::Ranges => words(
                "answer GET with Range by 206, with Content-Range and the part's Content-Length",
                &[
                    (Nginx, "remove max_ranges 0; behind proxy_pass: proxy_force_ranges on;"),
                    (Apache, "remove MaxRanges none and RequestHeader unset Range; no output filters"),
                    (Caddy, "file_server does; keep these files from templates, and do not remove Range"),
                    (Iis, "static files have ranges; a handler of your own has to send Content-Range"),
                ],
                "a foreground job under 2 GB asks for no range, as long as nothing breaks",
            ),
            Self::Multipart => words(
                "answer several ranges by 206 with multipart/byteranges",
                &[
                    (Nginx, "remove max_ranges, or raise it"),
                    (Apache, "raise MaxRanges"),
                    (S3, "S3 gives one range a request: this concerns only jobs made with AddFileWithRanges"),
                ],
                "this concerns only jobs made with AddFileWithRanges",
            ),
            Self::Stamp => words(
                "send Last-Modified, a date that stays while the file does",
                &[
                    (Nginx, "remove add_header Last-Modified; for ssi and sub_filter: ssi_last_modified on;"),
                    (Apache, "remove Header unset Last-Modified; for includes: XBitHack full"),
                    (Caddy, "remove header -Last-Modified; the file needs a time other than 1970"),
                ],
                "",
            ),
            Self::StableStamp => {
                words("give the file one time stamp, the same on all servers behind one name (rsync -t)", &[], "")
            }
            Self::Condition => words(
                "compare If-Unmodified-Since with Last-Modified in whole seconds; 412 only if the file is newer",
                &[(Apache, "heeds it once the file is a minute old; remove RequestHeader unset If-Unmodified-Since")],
                "",
            ),
            Self::Compression => words(
                "send the file as it is when Accept-Encoding is identity",
                &[
                    (Nginx, "gzip_static on; not always; or gunzip on;"),
                    (Apache, "remove SetEnv force-gzip; or SetEnv no-gzip 1"),
                    (Caddy, "no header Content-Encoding; precompressed looks at what is asked for"),
                    (S3, "store the object without Content-Encoding"),
                    (Azure, "store the blob without Content-Encoding"),
                ],
                "",
            ),
            Self::Version => words(
                "speak HTTP/1.1",
                &[
                    (Nginx, "nginx does: look at the proxy in front of it"),
                    (Apache, "remove force-response-1.0 and downgrade-1.0"),
                ],
                "",
            ),
            _ => {
                words("let proxies and security software pass Range, Content-Range and Content-Length on", &[], "HTTPS")
            }
        }
    }
}

fn certificate(fault: CertificateFault) -> Words {
    const FLAGS: &str = "for tests, SetSecurityFlags with the flags that excuse it";
    match fault {
        CertificateFault::Date => words("renew the certificate, reload the server, and look at its clock", &[], FLAGS),
        CertificateFault::Name => words("get a certificate with this name among its subjectAltNames", &[], FLAGS),
        CertificateFault::Issuer => words(
            "send the intermediate certificates along, or let clients trust the authority (here: --ca PEMFILE)",
            &[
                (
                    Nginx,
                    "ssl_certificate with the whole chain; or let clients trust the authority (here: --ca PEMFILE)",
                ),
                (Apache, "SSLCertificateFile with the whole chain; or let clients trust the authority (here: --ca)"),
            ],
            FLAGS,
        ),
        CertificateFault::Usage => words("get a certificate with extended key usage serverAuth", &[], FLAGS),
        CertificateFault::Revoked => words("get a new certificate with a new key", &[], ""),
        CertificateFault::RevocationUnknown => words("let clients reach the authority's CRL or OCSP", &[], ""),
        _ => words("get a certificate that is well-formed and signed by ECDSA, or RSA of 2048 bits at least", &[], ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_known_is_told_in_its_own_words() {
        let (nginx, client) = Cure::Ranges.told(Some("nginx/1.22.1"));
        let (unknown, _) = Cure::Ranges.told(Some("thttpd"));

        assert!(nginx.contains("max_ranges") && client.contains("foreground"), "{nginx} {client}");
        assert!(unknown.contains("206") && Cure::Ranges.told(None).0 == unknown);
    }
}
