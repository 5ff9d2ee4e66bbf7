//! Help, wrong usage and the demonstration.

#![expect(clippy::needless_raw_string_hashes, reason = "snapbox writes the expected texts so")]

use std::process::Stdio;

use snapbox::str;

use crate::support::{Ended, bitsd};

fn run(arguments: &[&str]) -> Ended {
    Ended::new(bitsd().args(arguments).output().unwrap())
}

#[test]
fn help_tells_what_there_is() {
    let help = run(&["--help"]);

    assert_eq!(help.code, Some(0));
    snapbox::assert_data_eq!(
        help.stdout,
        str![[r#"
A behavioural emulator of the Windows BITS job service

Usage: bitsd [OPTIONS] <COMMAND>

Commands:
  demo    Shows the emulator at work: jobs over HTTP and HTTPS from a server in this process
  get     Downloads files as BITS jobs
  doctor  Says what BITS would make of a server: the requests of a download, judged
  cert    Keeps the certificate stores of a state folder, for `get --cert`
  help    Print this message or the help of the given subcommand(s)

Options:
      --state <DIR>  Folder that keeps the queue and the certificate stores, for `get` and `cert`
  -h, --help         Print help
  -V, --version      Print version

"#]]
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "the help is as long as that")]
fn help_tells_what_becomes_of_a_download() {
    let help = run(&["get", "--help"]);

    assert_eq!(help.code, Some(0));
    snapbox::assert_data_eq!(
        help.stdout,
        str![[r#"
Downloads files as BITS jobs

FILE appears when it is complete; until then, what has arrived is in a file
BITxxxx.tmp beside it. The first error ends the download: nothing is tried again,
and no file is left behind. Ctrl-C cancels the job; pressed once more, it ends the
program without cleaning up.

With --input there are many files: one job fetches them one by one and completes
them together, --jobs deals them out in equal shares. What an error or Ctrl-C finds
complete stays.

With --state a run that was killed is taken up by the next one with the same DIR
and the same URL, FILE and ranges, or the same list and --jobs: it fetches only what
is missing. Other downloads in DIR wait meanwhile, until a run names them. One
program at a time can use DIR. Notification programs that jobs in DIR have are
really run, for a minute at most.

Exits with 0 when every file is complete, 1 on an error (one line tells which), 2
for wrong usage, such as a URL that BITS never takes, 130 when interrupted.

Usage: bitsd get [OPTIONS] <URL> <FILE>
       bitsd get [OPTIONS] --input <LIST>

Arguments:
  [URL]
          What to download, http:// or https://

  [FILE]
          Where to; an existing file is replaced once the download is complete

Options:
      --ranges <FIRST-LAST>
          Parts of the file, one behind the other: 0-99,500-599,1000-

      --input <LIST>
          Downloads what a list names, a URL and a FILE in each line; - is standard input

      --jobs <N>
          Deals the list out to so many jobs; foreground jobs run all at once, a job's files one by one
          
          [default: 1]

      --priority <PRIORITY>
          How urgent the jobs are: all but foreground ask for ranges, as background jobs do
          
          [default: foreground]
          [possible values: foreground, high, normal, low]

      --provider <PROVIDER>
          Whose BITS downloads
          
          With windows the queue is the one of the user, beside the jobs of other programs, and
          keeps itself; servers are believed, and proxies found, as Windows is set up to.

          Possible values:
          - emulator: An emulator in this process
          - windows:  The BITS service of this Windows
          
          [default: emulator]

      --ca <PEMFILE>
          Certificates to trust beside the machine's roots

      --state <DIR>
          Folder that keeps the queue and the certificate stores; without it, the queue is in memory

      --explain
          Say on stderr why the download waits; on a terminal it is said anyway

  -h, --help
          Print help (see a summary with '-h')

Credentials:
      --server-auth <SCHEME:USER>
          Logs USER in at a server that asks for it by SCHEME; can be repeated for other schemes
          
          SCHEME is basic, digest, ntlm, negotiate or passport; USER is name, DOMAIN/name or
          name@REALM. Nothing is sent before a server asks, nor by a scheme that is not named.
          By basic, whoever is on the way of http:// can read the password.
          
          The password is asked for on the terminal, unless one of the next options says
          where it is. Credentials last as long as the job: a run that takes up one of
          --state needs none, and those that it is given replace the others.

      --server-password-env <NAME>
          The environment variable that has the password for --server-auth

      --server-password-file <PATH>
          The file whose only line is the password for --server-auth

      --proxy-auth <SCHEME:USER>
          Logs USER in at a proxy that asks for it by SCHEME, as --server-auth does at a server

      --proxy-password-env <NAME>
          The environment variable that has the password for --proxy-auth

      --proxy-password-file <PATH>
          The file whose only line is the password for --proxy-auth

      --kdc <HOST:PORT>
          The KDC of every realm, for negotiate with Kerberos; without one, negotiate is NTLM
          
          It is NTLM too for a USER without a realm, and at a host that is an address.

      --passport-nexus <URL>
          The nexus of Passport, which leads to the login server, for passport
          
          The one that everybody used is gone, so there is none without this option.

Proxies:
      --proxy <URL>
          Goes through a proxy: HOST:PORT, or a list as BITS takes it
          
          Such a list has blanks between its entries, and may name a proxy for each protocol:
          'http=one:8080 https=two:8080'. Who cannot be reached is passed over for the next.
          Without this option, there is none: the environment's are not looked at.

      --proxy-bypass <HOSTS>
          Hosts to which --proxy does not lead, with blanks between: '*.example.org <local>'

      --no-proxy
          Goes straight to every server, also with a job of --state that had a proxy

Certificates:
      --cert <LOCATION/STORE/HASH|NAME>
          Shows servers that ask a certificate of a store of --state, as `bitsd cert` keeps them
          
          The certificate of this SHA-1, or the first whose subject has NAME in it, such as
          CURRENT_USER/MY/alice. It lasts as long as the job.

      --ignore <FAULT>
          Takes servers whose certificates have these faults; every other one still counts

          Possible values:
          - cn:    The certificate is for another name
          - date:  It is not valid yet, or not any more
          - ca:    An authority that is not trusted has issued it
          - usage: It is not for servers

      --crl-check
          Refuses servers whose certificates are revoked, or of which that cannot be known

      --crl <FILE>
          Lists of revoked certificates for --crl-check, PEM or DER; can be repeated

      --show-chain
          Prints the certificates of each server, as a certificate callback of BITS is given them

"#]]
    );
}

#[test]
fn help_tells_what_the_doctor_does() {
    let help = run(&["doctor", "--help"]);

    assert_eq!(help.code, Some(0));
    snapbox::assert_data_eq!(
        help.stdout,
        str![[r#"
Says what BITS would make of a server: the requests of a download, judged

The requests of a foreground and of a background job are made, and those after a
break, with little of each body; then some that explain. Each finding has the
HRESULT that a client would see, and how to mend the server. Nothing is written.

Exits with 0 when all of these would succeed, 1 when not, 2 for wrong usage, such
as a URL that BITS never takes.

Usage: bitsd doctor [OPTIONS] <URL>

Arguments:
  <URL>
          What a client would download, http:// or https://

Options:
      --ca <PEMFILE>
          Certificates to trust beside the machine's roots

      --timeout <SECONDS>
          How long to wait for a connection, for an answer, and for what is read of a body
          
          [default: 30]

      --json
          Print one JSON object

      --requests
          Print every request and what came back, too

  -h, --help
          Print help (see a summary with '-h')

"#]]
    );
}

#[test]
fn wrong_usage_exits_with_two() {
    let wrong: &[&[&str]] = &[
        &[],
        &["fetch"],
        &["get"],
        &["get", "http://server/a"],
        &["get", "http://server/a", "a", "b"],
        &["get", "http://server/a", "a", "--priority", "urgent"],
        &["get", "http://server/a", "a", "--state"],
        &["get", "http://server/a", ""],
        &["get", "http://server/a", "a", "--input", "list"],
        &["get", "http://server/a", "a", "--jobs", "2"],
        &["get", "--input", "list", "--jobs", "0"],
        &["get", "--input", "list", "--ranges", "0-9"],
        &["get", "http://server/a", "a", "--ranges", "9"],
        &["get", "http://server/a", "a", "--ranges", "9-8"],
        &["get", "http://server/a", "a", "--ranges", "0-18446744073709551615"],
        &["get", "http://server/a", "a", "--server-password-env", "NAME"],
        &["get", "http://server/a", "a", "--server-password-file", "file"],
        &["get", "http://server/a", "a", "--server-auth"],
        &["get", "http://server/a", "a", "--server-password", "hunter2", "--server-auth", "basic:joe"],
        &["get", "http://server/a", "a", "--server-auth", "basic:joe", "--proxy-password-env", "NAME"],
        &[
            "get",
            "http://server/a",
            "a",
            "--server-auth",
            "basic:joe",
            "--server-password-env",
            "NAME",
            "--server-password-file",
            "file",
        ],
        &["get", "http://server/a", "a", "--kdc", "kdc.example:port"],
        &["get", "http://server/a", "a", "--proxy", "here:1", "--no-proxy"],
        &["get", "http://server/a", "a", "--proxy-bypass", "<local>"],
        &["demo", "a"],
        &["doctor"],
        &["doctor", "http://server/a", "b"],
        &["doctor", "http://server/a", "--timeout", "0"],
        &["doctor", "http://server/a", "--timeout", "soon"],
    ];
    for arguments in wrong {
        let ended = run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains("Usage") || ended.stderr.contains("--help"), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn a_number_that_is_none_is_told_precisely() {
    let jobs = ["get", "--input", "list", "--jobs"];
    let timeout = ["doctor", "http://server/a", "--timeout"];
    let ranges = ["get", "http://server/a", "a", "--ranges"];
    let table = [
        (&jobs[..], "-1", "a number of jobs is wanted, 1 or more"),
        (&jobs, "0", "a number of jobs is wanted, 1 or more"),
        (&jobs, "1.5", "a number of jobs is wanted, 1 or more"),
        (&timeout, "-1", "seconds are wanted, from 1 to 3600"),
        (&timeout, "3601", "seconds are wanted, from 1 to 3600"),
        (&ranges, "-5", "a range is FIRST-LAST or FIRST-, in bytes"),
    ];
    for (arguments, number, told) in table {
        let ended = run(&[arguments, &[number]].concat());

        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.lines().next().is_some_and(|line| line.ends_with(told)), "{}", ended.stderr);
    }
}

#[test]
fn the_demonstration_tells_the_story_of_its_jobs() {
    let demo = run(&["demo"]);

    assert_eq!((demo.code, demo.stderr.as_str()), (Some(0), ""));
    snapbox::assert_data_eq!(
        demo.stdout,
        str![[r#"
A plain file over HTTP
  virtual time   state            why
  00:00:00.000   SUSPENDED        CreateJob was called
  00:00:00.000   QUEUED           Resume was called
  00:00:00.000   CONNECTING       it is this job's turn
  00:00:00.000   TRANSFERRING     the server answered
  00:00:00.000   TRANSFERRED      every file is there
  00:00:00.000   ACKNOWLEDGED     Complete was called
3145728 bytes, SHA-256 c16e584d20fe34774e7c36390c27bac2d063cd40a0852629f16c06500fa3c5db: as on the server

HTTPS from a server that fails twice; BITS waits ten minutes each
  virtual time   state            why
  00:00:00.000   SUSPENDED        CreateJob was called
  00:00:00.000   QUEUED           Resume was called
  00:00:00.000   CONNECTING       it is this job's turn
  00:00:00.000   TRANSIENT_ERROR  0x801901F7 BG_E_HTTP_ERROR_503 in BG_ERROR_CONTEXT_REMOTE_FILE
  00:10:00.000   QUEUED           the retry delay is over
  00:10:00.000   CONNECTING       it is this job's turn
  00:10:00.000   TRANSIENT_ERROR  0x801901F7 BG_E_HTTP_ERROR_503 in BG_ERROR_CONTEXT_REMOTE_FILE
  00:20:00.000   QUEUED           the retry delay is over
  00:20:00.000   CONNECTING       it is this job's turn
  00:20:00.000   TRANSFERRING     the server answered
  00:20:00.000   TRANSFERRED      every file is there
  00:20:00.000   ACKNOWLEDGED     Complete was called
2097152 bytes, SHA-256 1f0cb3a60be43b84e5b6f458701b4f7a4241b929e3c0ede6eda4d59c7631b19a: as on the server

The service is restarted in the middle of a file
  virtual time   state            why
  00:20:00.000   SUSPENDED        CreateJob was called
  00:20:00.000   QUEUED           Resume was called
  00:20:00.000   CONNECTING       it is this job's turn
  00:20:00.000   TRANSFERRING     the server answered
  00:20:00.000                    the service stops
  00:20:00.000                    the service starts
  00:20:00.000   CONNECTING       it is this job's turn
  00:20:00.000   TRANSFERRING     the server answered
  00:20:00.000   TRANSFERRED      every file is there
  00:20:00.000   ACKNOWLEDGED     Complete was called
8388608 bytes, SHA-256 460190acbf165d77cebddb7aed12d4c5136086b3265295ccc58d3300af775ff7: as on the server

The server was asked for: bytes=0-8388607, then bytes=5242880-8388607

A server that asks for Digest: the password does not go over the wire
  virtual time   state            why
  00:20:00.000   SUSPENDED        CreateJob was called
  00:20:00.000   QUEUED           Resume was called
  00:20:00.000   CONNECTING       it is this job's turn
  00:20:00.000   TRANSFERRING     the server answered
  00:20:00.000   TRANSFERRED      every file is there
  00:20:00.000   ACKNOWLEDGED     Complete was called
1048576 bytes, SHA-256 0b55dffa564a6e28e5fefa8590e30a5d7f0374c5de38c1829c2e881620a4f2bb: as on the server

The server answered: 401, then 200, then 206; connections: 1

A server that asks for NTLM: it knows the connection from then on
  virtual time   state            why
  00:20:00.000   SUSPENDED        CreateJob was called
  00:20:00.000   QUEUED           Resume was called
  00:20:00.000   CONNECTING       it is this job's turn
  00:20:00.000   TRANSFERRING     the server answered
  00:20:00.000   TRANSFERRED      every file is there
  00:20:00.000   ACKNOWLEDGED     Complete was called
1048576 bytes, SHA-256 0b55dffa564a6e28e5fefa8590e30a5d7f0374c5de38c1829c2e881620a4f2bb: as on the server

The server answered: 401, then 401, then 200, then 206; connections: 1

HTTPS from a server that wants a client's certificate
  virtual time   state            why
  00:20:00.000   SUSPENDED        CreateJob was called
  00:20:00.000   QUEUED           Resume was called
  00:20:00.000   CONNECTING       it is this job's turn
  00:20:00.000   TRANSFERRING     the server answered
  00:20:00.000   TRANSFERRED      every file is there
  00:20:00.000   ACKNOWLEDGED     Complete was called
1048576 bytes, SHA-256 0b55dffa564a6e28e5fefa8590e30a5d7f0374c5de38c1829c2e881620a4f2bb: as on the server

The server has seen the certificate [..]

The client's own callback declines the server's certificate, and accepts it ten minutes later
  virtual time   state            why
  00:20:00.000   SUSPENDED        CreateJob was called
  00:20:00.000   QUEUED           Resume was called
  00:20:00.000   CONNECTING       it is this job's turn
  00:20:00.000   TRANSIENT_ERROR  0x80070005 E_ACCESSDENIED in BG_ERROR_CONTEXT_SERVER_CERTIFICATE_CALLBACK
  00:30:00.000   QUEUED           the retry delay is over
  00:30:00.000   CONNECTING       it is this job's turn
  00:30:00.000   TRANSFERRING     the server answered
  00:30:00.000   TRANSFERRED      every file is there
  00:30:00.000   ACKNOWLEDGED     Complete was called
1048576 bytes, SHA-256 e8cfc23ae65991339de9ac7865ad0676ca022ac96664bfdcf9e3f3e04e024f36: as on the server

Every job is done, 00:30:00.000 of BITS' time; every byte is what the server has.

"#]]
    );
}

#[test]
fn a_reader_that_goes_away_gets_no_panic() {
    let mut child = bitsd().arg("demo").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());

    let ended = Ended::new(child.wait_with_output().unwrap());

    assert_eq!(ended.code, Some(1));
    ended.says("bitsd: cannot print: [..]");
}
