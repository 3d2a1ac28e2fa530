//! Servers over HTTP: what they refuse, sessions that end, answers in pieces.

use super::server;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};
use warroom::config::mcp::Era;
use warroom::source::mcp::read::as_it_is;
use warroom::source::mcp::{Again, Link, Trouble};

/// What a server does and has seen.
struct World {
    mode: &'static str,
    /// Methods with the session each came with.
    asked: Vec<(String, String)>,
    session: usize,
    headers: Vec<HeaderMap>,
}

type Shared = Arc<Mutex<World>>;

fn plain(status: u16, kind: &str, text: impl Into<Body>) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    Response::builder().status(status).header("content-type", kind).body(text.into()).unwrap()
}

fn result(id: &Value, result: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()
}

/// A stream of events in pieces that respect nothing: comments, half lines, half characters.
fn pieces(message: &str) -> Response {
    let text = format!(": hello\n\n: still there\n\nevent: message\ndata: {message}\n\n");
    let parts: Vec<Result<Bytes, std::io::Error>> =
        text.as_bytes().chunks(7).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
    plain(200, "text/event-stream", Body::from_stream(futures_util::stream::iter(parts)))
}

async fn answer(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let message: Value = serde_json::from_slice(&body).unwrap();
    let (method, id) = (message["method"].as_str().unwrap_or_default().to_owned(), message["id"].clone());
    let session = headers.get("mcp-session-id").map_or("", |v| v.to_str().unwrap()).to_owned();
    let mut world = world.lock().unwrap();
    world.asked.push((method.clone(), session.clone()));
    world.headers.push(headers);
    if world.mode == "refuses" {
        return plain(401, "text/plain", "token ABCDEFGH-secret is over");
    }
    if world.mode == "breaks" && method == "tools/call" {
        return plain(503, "text/html", "<h1>upstream is down</h1>");
    }
    if method == "server/discover" {
        let refusal = json!({"jsonrpc": "2.0", "id": "server-error", "error": {"code": -32600, "message": "Bad Request: Missing session ID"}});
        return plain(400, "application/json", refusal.to_string());
    }
    if method == "initialize" {
        world.session += 1;
        let hello = result(
            &id,
            json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "web", "version": "2"}}),
        );
        let mut response = pieces(&hello);
        response.headers_mut().insert("mcp-session-id", format!("s{}", world.session).parse().unwrap());
        return response;
    }
    if session != format!("s{}", world.session) {
        return plain(404, "application/json", "{}");
    }
    match method.as_str() {
        "tools/call" if world.mode == "long" => {
            let text = "x".repeat(9 << 20);
            plain(200, "application/json", result(&id, json!({"content": [{"type": "text", "text": text}]})))
        }
        "tools/call" => {
            let answer = result(
                &id,
                json!({"content": [{"type": "text", "text": "2025-01-12T12:31:08Z ERROR Pembayaran é 支払い"}]}),
            );
            if message["params"]["name"] == "expire" {
                world.session += 1;
            }
            pieces(&answer)
        }
        _ => plain(202, "application/json", ""),
    }
}

async fn listen(mode: &'static str) -> (Link, Shared) {
    let world = Arc::new(Mutex::new(World { mode, asked: Vec::new(), session: 0, headers: Vec::new() }));
    let app = Router::new().route("/mcp", post(answer)).with_state(Arc::clone(&world));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let text = format!(
        "[[mcp]]\nname = \"web\"\nurl = \"http://127.0.0.1:{port}/mcp\"\nmin_interval_ms = 0\nheaders = {{ Authorization = \"Bearer ABCDEFGH-secret\", X-Tenant = \"mrg\" }}\n"
    );
    (Link::new(server(&text)), world)
}

fn count(world: &Shared, method: &str) -> usize {
    world.lock().unwrap().asked.iter().filter(|(m, _)| m == method).count()
}

async fn call(link: &Link, tool: &str) -> Result<String, Trouble> {
    link.call(tool, &Map::new(), Again::May).await.map(|reply| as_it_is(&reply.result))
}

#[tokio::test]
async fn a_400_means_the_old_way_and_an_answer_in_pieces_is_whole() {
    let (link, world) = listen("well").await;
    assert_eq!(link.introduction().await.unwrap().era, Era::Legacy);
    assert!(call(&link, "lines").await.unwrap().contains("Pembayaran é 支払い"));
    let headers = world.lock().unwrap().headers.clone();
    assert!(headers.iter().all(|h| h["authorization"] == "Bearer ABCDEFGH-secret" && h["x-tenant"] == "mrg"));
    assert_eq!((count(&world, "server/discover"), count(&world, "initialize")), (1, 1));
    link.close().await;
}

#[tokio::test]
async fn a_refused_token_is_said_without_it_and_no_second_door_is_tried() {
    let (link, world) = listen("refuses").await;
    let trouble = link.introduction().await.unwrap_err();
    assert!(matches!(trouble, Trouble::Who(_)), "{trouble:?}");
    let says = trouble.sentence();
    assert!(says.contains("headers") && !says.contains("ABCDEFGH"), "{says}");
    assert_eq!((count(&world, "server/discover"), count(&world, "initialize")), (1, 0));
}

#[tokio::test]
async fn a_session_that_is_over_is_begun_anew() {
    let (link, world) = listen("well").await;
    call(&link, "expire").await.unwrap();
    assert!(call(&link, "lines").await.unwrap().contains("Pembayaran"));
    assert_eq!(count(&world, "initialize"), 2);
    let sessions: Vec<String> =
        world.lock().unwrap().asked.iter().filter(|(m, _)| m == "tools/call").map(|(_, s)| s.clone()).collect();
    assert_eq!(sessions, ["s1", "s1", "s3"]);
    link.close().await;
}

#[tokio::test]
async fn a_server_behind_a_broken_gateway_and_one_that_answers_too_much_are_said() {
    let (link, _) = listen("breaks").await;
    let says = call(&link, "lines").await.unwrap_err().sentence();
    assert!(says.contains("503"), "{says}");
    let (link, world) = listen("long").await;
    assert_eq!(call(&link, "lines").await, Err(Trouble::TooLong));
    assert_eq!(count(&world, "tools/call"), 1);
}
