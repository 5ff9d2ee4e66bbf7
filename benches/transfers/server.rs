//! An nginx of our own, and what it serves.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

use crate::Result;
use crate::cases::{Case, Files, MIDDLE, SMALL, What};

/// The name of the large file, served and downloaded.
pub(crate) const LARGE: &str = "large";

pub(crate) struct Server {
    folder: tempfile::TempDir,
    process: Child,
    /// HTTP, HTTPS, and HTTP with a log of what was sent.
    ports: [u16; 3],
    pub(crate) large_size: u64,
}

impl Server {
    pub(crate) fn start(large_mib: u64) -> Result<Self> {
        let shm = Path::new("/dev/shm");
        // Memory where there is some: what is measured is the clients.
        let folder = if shm.is_dir() { tempfile::tempdir_in(shm)? } else { tempfile::tempdir()? };
        let path = folder.path();
        let large_size = large_mib << 20;
        fs::create_dir(path.join("www"))?;
        write_file(&path.join("www").join(LARGE), large_size, 0)?;
        for files in [SMALL, MIDDLE] {
            fs::create_dir(path.join("www").join(files.folder))?;
            for number in 0..files.count {
                write_file(&path.join("www").join(files.folder).join(number.to_string()), files.size, number + 1)?;
            }
        }
        certify(path)?;
        let ports = [free_port()?, free_port()?, free_port()?];
        fs::write(path.join("nginx.conf"), config(path, ports))?;
        let process = Command::new("nginx").arg("-p").arg(path).arg("-c").arg(path.join("nginx.conf")).spawn()?;
        let server = Self { folder, process, ports, large_size };
        server.wait_ready()?;
        Ok(server)
    }

    fn wait_ready(&self) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.ports[2])).is_err() {
            if Instant::now() > end {
                return Err("nginx does not listen after 10 s".into());
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://localhost:{}/{name}", self.ports[0])
    }

    pub(crate) fn https_url(&self, name: &str) -> String {
        format!("https://localhost:{}/{name}", self.ports[1])
    }

    pub(crate) fn logged_url(&self, name: &str) -> String {
        format!("http://localhost:{}/{name}", self.ports[2])
    }

    /// Method, bytes sent and Range of each request to [`Server::logged_url`] so far.
    pub(crate) fn log(&self) -> Result<Vec<String>> {
        Ok(fs::read_to_string(self.aside("access.log"))?.lines().map(str::to_owned).collect())
    }

    /// The certificate of the authority that has vouched for the server.
    pub(crate) fn ca(&self) -> PathBuf {
        self.aside("ca.pem")
    }

    /// Where what is not served may lie.
    pub(crate) fn aside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Whether every file is there, in full length.
    pub(crate) fn look(&self, case: &Case, folder: &Path) -> Result<()> {
        self.each(case, folder, |served, downloaded| {
            let (expected, length) = (fs::metadata(served)?.len(), fs::metadata(downloaded)?.len());
            let is_whole = length == expected;
            is_whole
                .then_some(())
                .ok_or_else(|| format!("{} has {length} of {expected} bytes", downloaded.display()).into())
        })
    }

    /// Whether every byte is there.
    pub(crate) fn compare(&self, case: &Case, folder: &Path) -> Result<()> {
        self.look(case, folder)?;
        self.each(case, folder, |served, downloaded| {
            if same(served, downloaded)? { Ok(()) } else { Err(format!("{} differs", downloaded.display()).into()) }
        })
    }

    fn each(&self, case: &Case, folder: &Path, check: impl Fn(&Path, &Path) -> Result<()>) -> Result<()> {
        let served = self.aside("www");
        match case.what {
            What::Large { .. } | What::Ranges(_) => check(&served.join(LARGE), &folder.join(LARGE)),
            What::Many { files: Files { folder: name, count, .. }, .. } => (0..count).try_for_each(|number| {
                check(&served.join(name).join(number.to_string()), &folder.join(number.to_string()))
            }),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that is gone already needs no killing.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn same(left: &Path, right: &Path) -> Result<bool> {
    let (mut left, mut right) = (File::open(left)?, File::open(right)?);
    let (mut here, mut there) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let count = left.read(&mut here)?;
        if count == 0 {
            return Ok(right.read(&mut there)? == 0);
        }
        right.read_exact(&mut there[..count])?;
        if here[..count] != there[..count] {
            return Ok(false);
        }
    }
}

/// Bytes that do not compress, other ones for each file and each block of it.
fn write_file(path: &Path, size: u64, seed: u64) -> Result<()> {
    const BLOCK: u64 = 64 << 10;
    const WORDS: usize = (64 << 10) / 8;
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ (seed << 32);
    let mut file = File::create(path)?;
    let mut block = Vec::new();
    let mut written = 0;
    while written < size {
        block.clear();
        block.extend(std::iter::repeat_with(|| next(&mut state).to_le_bytes()).take(WORDS).flatten());
        let length = BLOCK.min(size - written);
        file.write_all(&block[..usize::try_from(length)?])?;
        written += length;
    }
    Ok(())
}

fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn certify(folder: &Path) -> Result<()> {
    let mut params = CertificateParams::new([])?;
    params.distinguished_name.push(DnType::CommonName, "bits-emulator benchmark authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let mut params = CertificateParams::new(["localhost".to_owned()])?;
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let leaf = params.signed_by(&key, &ca)?;
    fs::write(folder.join("ca.pem"), ca.pem())?;
    fs::write(folder.join("cert.pem"), leaf.pem())?;
    Ok(fs::write(folder.join("key.pem"), key.serialize_pem())?)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn config(folder: &Path, [http, https, logged]: [u16; 3]) -> String {
    let folder = folder.display();
    format!(
        "daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; root {folder}/www;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  log_format sent '$request_method $body_bytes_sent $http_range';
  server {{ listen 127.0.0.1:{http}; }}
  server {{
    listen 127.0.0.1:{https} ssl; server_name localhost; ssl_protocols TLSv1.3;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
  }}
  server {{ listen 127.0.0.1:{logged}; access_log {folder}/access.log sent; }}
}}
"
    )
}
