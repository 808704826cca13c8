//! Passes requests on to another server.

use std::io::{BufReader, Write};
use std::net::TcpStream;

use crate::reply::Reply;
use crate::request::{Request, read_body, read_head};

impl Request {
    /// Sends the request to another server (`HOST:PORT`) and returns its reply.
    ///
    /// # Panics
    /// If that server cannot be reached.
    #[must_use]
    pub fn forward(&self, authority: &str) -> Reply {
        let mut server =
            TcpStream::connect(authority).expect("the server behind this one accepts connections");
        let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", self.method, self.target);
        for (name, value) in self.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("connection"))
        {
            head += &format!("{name}: {value}\r\n");
        }
        let request = [head.as_bytes(), b"\r\n", &self.body].concat();
        server.write_all(&request).expect("the server behind this one reads");
        let mut reader = BufReader::new(server);
        let (first, headers) = read_head(&mut reader).expect("the server behind this one answers");
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let body = read_body(&mut reader, &headers).expect("the server behind this one sends its body");
        let mut reply = Reply::new(status, body);
        for (name, value) in headers {
            if !["connection", "content-length"].iter().any(|framing| name.eq_ignore_ascii_case(framing)) {
                reply = reply.header(&name, &value);
            }
        }
        reply
    }
}
