//! Where credentials come from, in which order, and what is said when there are none.

use super::*;
use crate::config::HuaweiConfig;
use crate::model::Lapse;
use crate::source::huawei::stand_in::{AK, NOON, SK, TOKEN, World, answer, config};
use crate::source::huawei::wire::{Fault, Incoming, Outgoing};
use std::path::PathBuf;

fn line(credentials: CredentialConfig, world: &World) -> Line {
    Line::new(HuaweiConfig { credentials, ..config() }, world.around.clone())
}

async fn got(line: &Line) -> Result<Arc<Identity>, Trouble> {
    Credentials::default().identity(line, &mut Tally::default()).await
}

fn nothing() -> World {
    World::new(|_, _| Err(Fault::Unreachable("no route".to_owned())))
}

/// A home folder with a profile file.
fn home(world: &mut World, text: &str, mode: u32) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".huaweicloud/credentials");
    std::fs::create_dir(dir.path().join(".huaweicloud")).unwrap();
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    world.around.home = Some(dir.path().to_owned());
    dir
}

/// The metadata service: a token by PUT, keys for whoever brings it, good for `hours` from `now` on.
fn metadata(out: &Outgoing, now: Stamp, hours: i64) -> Incoming {
    let token = out.headers.iter().find(|(n, _)| n == "X-Metadata-Token").map(|(_, v)| v.as_str());
    match (out.method.as_str(), out.url.path(), token) {
        ("PUT", "/meta-data/latest/api/token", _) => answer(200, &[], "session"),
        ("GET", "/openstack/latest/securitykey", Some("session")) => {
            let end = crate::model::Zone::utc().format(now + Lapse::hours(hours), "%Y-%m-%dT%H:%M:%S.231000Z");
            let body = format!(
                r#"{{"credential":{{"access":"TMP{}","secret":"{SK}","securitytoken":"{TOKEN}","expires_at":"{end}"}}}}"#,
                now.0
            );
            answer(200, &[], &body)
        }
        ("GET", _, _) => answer(401, &[], "a token is needed"),
        _ => answer(404, &[], ""),
    }
}

#[tokio::test]
async fn the_first_of_environment_profile_and_metadata_that_has_them_is_taken() {
    let mut world = World::new(|out, _| Ok(metadata(out, NOON, 24)));
    let from_metadata = got(&line(CredentialConfig::Auto, &world)).await.unwrap();
    assert_eq!(from_metadata.from, crate::source::huawei::metadata::FROM);
    assert_eq!(from_metadata.secrets().len(), 3);
    let text = format!("; mine\n[other]\nak = no\n[basic]\nAK = {AK}\nsk: {SK}\nproject_id =\nsecurity_token = a=b\n");
    let _home = home(&mut world, &text, 0o600);
    let from_profile = got(&line(CredentialConfig::Auto, &world)).await.unwrap();
    assert_eq!(from_profile.secrets(), [AK, SK, "a=b"]);
    assert!(from_profile.from.ends_with(".huaweicloud/credentials") && from_profile.warning.is_none());
    world.set("HUAWEICLOUD_SDK_AK", "EA");
    world.set("HUAWEICLOUD_SDK_SK", "ES");
    world.set("HUAWEICLOUD_SDK_PROJECT_ID", "p1");
    world.set("HUAWEICLOUD_SDK_SECURITY_TOKEN", "ET");
    let from_environment = got(&line(CredentialConfig::Auto, &world)).await.unwrap();
    assert_eq!(from_environment.secrets(), ["EA", "ES", "ET"]);
    assert_eq!(from_environment.project.as_deref(), Some("p1"));
}

#[tokio::test]
async fn when_there_are_none_everything_that_was_tried_is_named() {
    let mut world = nothing();
    let dir = tempfile::tempdir().unwrap();
    world.around.home = Some(dir.path().to_owned());
    let trouble = got(&line(CredentialConfig::Auto, &world)).await.unwrap_err();
    let says = trouble.says();
    for tried in ["HUAWEICLOUD_SDK_AK is not set", ".huaweicloud/credentials", "169.254.169.254", "no ECS"] {
        assert!(says.contains(tried), "{says}");
    }
    assert!(trouble.remedy().contains("HUAWEICLOUD_SDK_AK") && trouble.short() == "no keys");
}

#[tokio::test]
async fn half_of_a_pair_is_a_mistake_and_not_a_reason_to_look_elsewhere() {
    let world = World::new(|out, _| Ok(metadata(out, NOON, 24)));
    world.set("HUAWEICLOUD_SDK_AK", AK);
    let says = got(&line(CredentialConfig::Auto, &world)).await.unwrap_err().says();
    assert!(says.contains("HUAWEICLOUD_SDK_AK is set and HUAWEICLOUD_SDK_SK is not") && !says.contains(AK), "{says}");
    let mut world = nothing();
    let _home = home(&mut world, &format!("[basic]\nak = {AK}\n"), 0o600);
    let says = got(&line(CredentialConfig::Auto, &world)).await.unwrap_err().says();
    assert!(says.contains("no ak and sk under [basic]") && !says.contains(AK), "{says}");
}

#[tokio::test]
async fn a_profile_that_others_can_read_is_used_and_said() {
    let mut world = nothing();
    let home = home(&mut world, &format!("\u{feff}[basic]\r\nak={AK}\r\nsk={SK}\r\n"), 0o644);
    let file = home.path().join(".huaweicloud/credentials");
    world.around.home = None;
    let identity = got(&line(CredentialConfig::Profile(Some(file)), &world)).await.unwrap();
    assert_eq!(identity.secrets(), [AK, SK]);
    assert!(identity.warning.as_ref().unwrap().1.starts_with("chmod 600"));
    let gone = CredentialConfig::Profile(Some(PathBuf::from("/nowhere/credentials")));
    assert!(got(&line(gone, &world)).await.unwrap_err().says().contains("there is no /nowhere/credentials"));
}

#[tokio::test]
async fn a_command_prints_the_credential_on_as_many_lines_as_it_likes() {
    let world = nothing();
    let command = |text: &str| CredentialConfig::Document(Secret::Command(text.to_owned()));
    let pretty = format!(r#"printf '{{\n "credential": {{\n  "access": "{AK}",\n  "secret": "{SK}"\n}}\n}}\n'"#);
    assert_eq!(got(&line(command(&pretty), &world)).await.unwrap().secrets(), [AK, SK]);
    for (text, word) in [
        ("echo hunter2", "no JSON"),
        ("echo '{}'; exit 3", "exit status: 3"),
        (r#"echo '{"ak":"hunter2","sk":"s","expires_at":"2025-01-01T00:00:00Z"}'"#, "ended already"),
    ] {
        let trouble = got(&line(command(text), &world)).await.unwrap_err();
        assert!(trouble.says().contains(word) && !trouble.says().contains("hunter2"), "{}", trouble.says());
    }
}

#[tokio::test]
async fn a_metadata_service_without_session_tokens_is_asked_without() {
    for status in [404, 405, 503] {
        let world = World::new(move |out, _| {
            Ok(match out.method.as_str() {
                "PUT" => answer(status, &[], ""),
                _ => answer(200, &[], &format!(r#"{{"credential":{{"access":"{AK}","secret":"{SK}"}}}}"#)),
            })
        });
        let identity = got(&line(CredentialConfig::Metadata, &world)).await.unwrap();
        assert_eq!((identity.secrets(), world.network.sent()), (vec![AK, SK], 2));
        assert_eq!(world.network.header(1, "x-metadata-token"), None);
        assert_eq!(world.network.urls()[1], "http://169.254.169.254/openstack/latest/securitykey");
    }
}

#[tokio::test]
async fn a_metadata_service_that_wants_another_token_is_asked_once_more() {
    let world = World::new(|out, number| match number {
        0 => Ok(answer(503, &[], "")),
        _ => Ok(metadata(out, NOON, 24)),
    });
    assert!(got(&line(CredentialConfig::Metadata, &world)).await.is_ok());
    assert_eq!(world.network.sent(), 4, "PUT, GET refused, PUT, GET");
    let world = World::new(|_, _| Ok(answer(401, &[], "go away")));
    let trouble = got(&line(CredentialConfig::Metadata, &world)).await.unwrap_err();
    assert_eq!((trouble.kind, world.network.sent()), (Kind::NoCredentials, 2));
}

#[tokio::test]
async fn a_host_without_an_agency_says_where_to_give_it_one() {
    let world = World::new(|out, _| {
        Ok(match out.method.as_str() {
            "PUT" => answer(200, &[], "session"),
            _ => answer(401, &[], "Please configure Cloud Service Agency first"),
        })
    });
    let trouble = got(&line(CredentialConfig::Metadata, &world)).await.unwrap_err();
    assert!(trouble.says().contains("no agency") && world.network.sent() == 2, "{}", trouble.says());
}

#[tokio::test]
async fn keys_of_the_metadata_service_are_renewed_before_they_end_and_kept_while_it_is_away() {
    let clock = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(NOON.0));
    let away = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (seen, gone) = (clock.clone(), away.clone());
    let mut world = World::new(move |out, _| {
        let now = Stamp(seen.load(std::sync::atomic::Ordering::SeqCst));
        if gone.load(std::sync::atomic::Ordering::SeqCst) { Err(Fault::TimedOut) } else { Ok(metadata(out, now, 1)) }
    });
    world.around.now = {
        let clock = clock.clone();
        Arc::new(move || Stamp(clock.load(std::sync::atomic::Ordering::SeqCst)))
    };
    let later = |minutes| {
        clock.fetch_add(Lapse::minutes(minutes).0, std::sync::atomic::Ordering::SeqCst);
    };
    let (line, credentials) = (line(CredentialConfig::Metadata, &world), Credentials::default());
    let now = async || credentials.identity(&line, &mut Tally::default()).await;
    let first = now().await.unwrap();
    later(39);
    assert!(now().await.unwrap().is_same(&first), "40 of 60 minutes are not over");
    later(2);
    let second = now().await.unwrap();
    assert!(!second.is_same(&first), "renewed well before the end");
    away.store(true, std::sync::atomic::Ordering::SeqCst);
    later(50);
    let sent = world.network.sent();
    assert!(now().await.unwrap().is_same(&second), "they still serve while the service is away");
    assert!(now().await.unwrap().is_same(&second));
    assert_eq!(world.network.sent(), sent + 1, "and it is not asked each time");
    later(11);
    assert_eq!(now().await.unwrap_err().kind, Kind::NoCredentials, "nothing is used after its end");
}
