//! `bitsd get` against curl: one file of 1 GiB from nginx on loopback, over HTTP and HTTPS.
//!
//! Run with `cargo bench -p bits-cli --bench get`. The two programs take turns in one run; the
//! ratios count, absolute times are the machine's. Needs nginx and curl on the PATH and 2.2 GiB of
//! room; `BITS_BENCH_ROUNDS` and `BITS_BENCH_MIB` change how much is done.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let rounds = number("BITS_BENCH_ROUNDS", 10)?;
    let mebibytes = number("BITS_BENCH_MIB", 1024)?;
    for program in ["nginx", "curl"] {
        if Command::new(program).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            println!("get: {program} is not on the PATH; nothing was measured");
            return Ok(());
        }
    }
    let server = Nginx::start(mebibytes)?;
    println!("{}\n{}", first_line("curl", "--version")?, first_line("nginx", "-v")?);
    println!("{mebibytes} MiB from nginx on loopback to {}, {rounds} rounds in turn\n", server.folder.path().display());
    for scheme in ["http", "https"] {
        println!("{:?}\n{:?}", server.bitsd(scheme), server.curl(scheme));
        compare(&server, scheme, rounds)?;
    }
    Ok(())
}

fn number(name: &str, default: usize) -> Result<usize> {
    match std::env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name} is {text:?}, not a number").into()),
        Err(_) => Ok(default),
    }
}

fn first_line(program: &str, argument: &str) -> Result<String> {
    let output = Command::new(program).arg(argument).output()?;
    // nginx tells its version on stderr.
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned())
}

/// One program's runs.
#[derive(Default)]
struct Runs {
    wall: Vec<f64>,
    cpu: Vec<f64>,
    memory_mib: Vec<f64>,
}

fn compare(server: &Nginx, scheme: &str, rounds: usize) -> Result<()> {
    let (mut ours, mut curls) = (Runs::default(), Runs::default());
    // One round that does not count warms caches and the server up.
    for round in 0..=rounds {
        let mut measured = [(Runs::default(), server.bitsd(scheme)), (Runs::default(), server.curl(scheme))];
        for (runs, command) in &mut measured {
            server.measure(command, runs)?;
        }
        if round > 0 {
            let [(mine, _), (theirs, _)] = measured;
            ours.extend(mine);
            curls.extend(theirs);
        }
    }
    let ratios: Vec<f64> = ours.cpu.iter().zip(&curls.cpu).map(|(ours, curls)| ours / curls).collect();
    println!("{scheme:<8} {:>24} {:>24} {:>24}", "wall s", "CPU s", "peak MiB");
    for (name, runs) in [("bitsd", &ours), ("curl", &curls)] {
        println!("  {name:<6} {:>24} {:>24} {:>24}", spread(&runs.wall), spread(&runs.cpu), spread(&runs.memory_mib));
    }
    println!("  CPU, bitsd / curl, round by round: {}\n", spread(&ratios));
    Ok(())
}

impl Runs {
    fn extend(&mut self, other: Self) {
        self.wall.extend(other.wall);
        self.cpu.extend(other.cpu);
        self.memory_mib.extend(other.memory_mib);
    }
}

/// min / median / max
fn spread(values: &[f64]) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.as_slice() {
        [] => "-".into(),
        [min, .., max] => format!("{min:.2} / {:.2} / {max:.2}", sorted[sorted.len() / 2]),
        [only] => format!("{only:.2}"),
    }
}

/// An nginx of our own, and what it serves.
struct Nginx {
    folder: tempfile::TempDir,
    process: Child,
    http: u16,
    https: u16,
}

impl Nginx {
    fn start(mebibytes: usize) -> Result<Self> {
        // Memory where there is some: the disk is not what is measured.
        let shm = Path::new("/dev/shm");
        let folder = if shm.is_dir() { tempfile::tempdir_in(shm)? } else { tempfile::tempdir()? };
        let path = folder.path();
        write_file(&path.join("file"), mebibytes)?;
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        fs::write(path.join("cert.pem"), certified.cert.pem())?;
        fs::write(path.join("key.pem"), certified.signing_key.serialize_pem())?;
        let (http, https) = (free_port()?, free_port()?);
        fs::write(path.join("nginx.conf"), config(path, http, https))?;
        let process = Command::new("nginx").arg("-p").arg(path).arg("-c").arg(path.join("nginx.conf")).spawn()?;
        let server = Self { folder, process, http, https };
        server.wait_ready()?;
        Ok(server)
    }

    fn wait_ready(&self) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", self.https)).is_err() {
            if Instant::now() > end {
                return Err("nginx does not listen after 10 s".into());
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    fn url(&self, scheme: &str) -> String {
        let port = if scheme == "http" { self.http } else { self.https };
        format!("{scheme}://localhost:{port}/file")
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("downloaded")
    }

    fn bitsd(&self, scheme: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bitsd"));
        command
            .arg("get")
            .arg(self.url(scheme))
            .arg(self.target())
            .arg("--ca")
            .arg(self.folder.path().join("cert.pem"));
        command
    }

    fn curl(&self, scheme: &str) -> Command {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail", "--cacert"]).arg(self.folder.path().join("cert.pem"));
        command.arg("--output").arg(self.target()).arg(self.url(scheme));
        command
    }

    fn measure(&self, command: &mut Command, runs: &mut Runs) -> Result<()> {
        let begun = Instant::now();
        let used = command.spawn()?.wait4()?;
        let wall = begun.elapsed();
        if !used.status.success() {
            return Err(format!("{command:?} ended with {}", used.status).into());
        }
        let expected = fs::metadata(self.folder.path().join("file"))?.len();
        let length = fs::metadata(self.target())?.len();
        if length != expected {
            return Err(format!("{command:?} has written {length} of {expected} bytes").into());
        }
        fs::remove_file(self.target())?;
        runs.wall.push(wall.as_secs_f64());
        runs.cpu.push((used.rusage.utime + used.rusage.stime).as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        runs.memory_mib.push(used.rusage.maxrss as f64 / 1024.0 / 1024.0);
        Ok(())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A server that is gone already needs no killing.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Bytes that do not compress and are not all alike.
fn write_file(path: &Path, mebibytes: usize) -> Result<()> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let block: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .take(1024 * 1024 / 8)
    .flatten()
    .collect();
    let mut file = fs::File::create(path)?;
    (0..mebibytes).try_for_each(|_| file.write_all(&block))?;
    Ok(())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn config(folder: &Path, http: u16, https: u16) -> String {
    let folder = folder.display();
    format!(
        "daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl; server_name localhost; root {folder};
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; ssl_protocols TLSv1.3;
  }}
}}
"
    )
}
