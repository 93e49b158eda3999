//! Where the online store is: one Redis server, or a Redis Cluster.
//!
//! | URL | meaning |
//! | --- | --- |
//! | `redis://host:6379/0` | one server, database 0 |
//! | `rediss://user:password@host:6379` | TLS, with an ACL user |
//! | `redis://host:6379?cluster=true` | a cluster, found through one of its nodes |
//! | `redis://user:password@a:6379,b:6379,c:6379` | a cluster, found through any of them |
//!
//! Characters like `,`, `@` and `/` in a password are percent-encoded. No error shows the URL: it holds the password.

use redis::{ConnectionInfo, IntoConnectionInfo};

use super::StoreError;

/// The servers that a URL names.
pub(super) enum Address {
    /// One server that holds every key.
    Server(Box<ConnectionInfo>),
    /// Nodes through which the other nodes of a cluster are found.
    Cluster(Vec<ConnectionInfo>),
}

/// Reads a URL of the table above.
pub(super) fn parse(url: &str) -> Result<Address, StoreError> {
    let (scheme, rest) =
        url.split_once("://").ok_or_else(|| refuse("it has no redis:// or rediss:// in front"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    let (tail, cluster) = take_cluster(tail)?;
    let nodes: Vec<ConnectionInfo> = hosts
        .split(',')
        .map(|host| format!("{scheme}://{user}{host}{tail}").into_connection_info())
        .collect::<Result<_, _>>()
        .map_err(|error| refuse(&error.to_string()))?;
    if !cluster.unwrap_or(nodes.len() > 1) {
        let [node] = <[_; 1]>::try_from(nodes).map_err(|_| refuse("several hosts need a cluster"))?;
        return Ok(Address::Server(Box::new(node)));
    }
    Ok(Address::Cluster(nodes))
}

/// The path, query and fragment without the parameter `cluster`, and what that said.
fn take_cluster(tail: &str) -> Result<(String, Option<bool>), StoreError> {
    let (before, fragment) = tail.split_once('#').map_or((tail, None), |(a, b)| (a, Some(b)));
    let (path, query) = before.split_once('?').unwrap_or((before, ""));
    let mut cluster = None;
    let mut kept = Vec::new();
    for parameter in query.split('&').filter(|p| !p.is_empty()) {
        match parameter.strip_prefix("cluster=") {
            Some("true" | "1") => cluster = Some(true),
            Some("false" | "0") => cluster = Some(false),
            Some(_) => return Err(refuse("its parameter cluster is neither true nor false")),
            None => kept.push(parameter),
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
    Ok((format!("{path}{query}{fragment}"), cluster))
}

fn refuse(what: &str) -> StoreError {
    StoreError::Refused(format!("the URL of Redis (REDIS_URL) cannot be used: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(url: &str) -> (bool, Vec<String>) {
        match parse(url).unwrap() {
            Address::Server(node) => (false, vec![node.addr().to_string()]),
            Address::Cluster(nodes) => (true, nodes.iter().map(|n| n.addr().to_string()).collect()),
        }
    }

    #[test]
    fn one_host_is_a_server_and_several_are_a_cluster() {
        assert_eq!(nodes("redis://a:1/0"), (false, vec!["a:1".into()]));
        assert_eq!(nodes("redis://a"), (false, vec!["a:6379".into()]));
        assert_eq!(nodes("redis://a:1?cluster=true"), (true, vec!["a:1".into()]));
        assert_eq!(nodes("redis://a:1,b:2,c:3"), (true, vec!["a:1".into(), "b:2".into(), "c:3".into()]));
        assert_eq!(nodes("rediss://a:1,b:2/?protocol=resp3&cluster=1#insecure").1.len(), 2);
    }

    #[test]
    fn user_and_password_hold_for_every_node() {
        let Address::Cluster(nodes) = parse("rediss://millrace:p%2Cw@a:1,b:2").unwrap() else {
            panic!("not a cluster")
        };
        for node in nodes {
            assert_eq!(node.redis_settings().username(), Some("millrace"));
            assert_eq!(node.redis_settings().password(), Some("p,w"));
        }
    }

    #[test]
    fn a_bad_url_is_refused_without_showing_the_password() {
        for url in
            ["secret", "http://:secret@a", "redis://:secret@a?cluster=maybe", "redis://:secret@a,b?cluster=0"]
        {
            let Err(error) = parse(url) else { panic!("{url} was taken") };
            assert!(matches!(error, StoreError::Refused(_)));
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
