//! GitHub's API as far as checks go: tokens, scopes, the hourly limit, one repository.

use lk_core::Time;
use lk_fakes::api::{Meter, bearer, retry_after, target};
use lk_fakes::server::header;
use lk_fakes::{FakeApi, Trouble};
use lk_provider::{HttpRequest, HttpResponse, Settings};
use serde_json::{Value, json};

const TOKEN: &str = "not-a-real-classic-token";
const HOURLY: u32 = 5_000;
const ANONYMOUS: u32 = 60;

/// The fake.
pub(crate) fn api() -> Box<dyn FakeApi> {
    Box::new(GitHub {
        core: Meter::new(HOURLY, 3_600),
    })
}

struct GitHub {
    core: Meter,
}

fn refuse(status: u16, message: &str) -> HttpResponse {
    let body = json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.to_string(),
    });
    HttpResponse::json(status, &body)
}

impl GitHub {
    fn limits(&self, response: &mut HttpResponse) {
        let (limit, remaining, reset) = self.core.state();
        for (name, value) in [
            ("x-ratelimit-limit", i64::from(limit)),
            ("x-ratelimit-remaining", i64::from(remaining)),
            ("x-ratelimit-used", i64::from(limit - remaining)),
            ("x-ratelimit-reset", reset.ms() / 1_000),
        ] {
            response.headers.push((name.to_owned(), value.to_string()));
        }
        response
            .headers
            .push(("x-ratelimit-resource".to_owned(), "core".to_owned()));
    }

    fn rate_limit(&self, limit: u32) -> HttpResponse {
        let (_, remaining, reset) = self.core.state();
        let core = json!({
            "limit": limit, "remaining": remaining.min(limit),
            "used": HOURLY - remaining, "reset": reset.ms() / 1_000,
        });
        HttpResponse::json(200, &json!({ "resources": { "core": core } }))
    }

    fn known(&mut self, path: &str) -> HttpResponse {
        match path {
            "/rate_limit" => self.rate_limit(HOURLY),
            "/user" => HttpResponse::json(200, &json!({ "login": "octocat", "id": 1, "type": "User" })),
            "/repos/octocat/hello" => HttpResponse::json(
                200,
                &json!({ "full_name": "octocat/hello", "archived": false, "disabled": false }),
            ),
            _ => refuse(404, "Not Found"),
        }
    }
}

impl FakeApi for GitHub {
    fn provider(&self) -> &'static str {
        "github"
    }

    fn settings(&self) -> Settings {
        let pairs = [
            ("token", TOKEN),
            ("owner", "octocat"),
            ("repository", "hello"),
            ("needs_scopes", "repo"),
        ];
        pairs.into_iter().collect()
    }

    fn answer(&mut self, request: &HttpRequest, trouble: Option<Trouble>, now: Time) -> HttpResponse {
        if header(&request.headers, "user-agent").is_none() {
            return HttpResponse::text(
                403,
                "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
            );
        }
        if header(&request.headers, "x-github-api-version").is_some_and(|version| version != "2022-11-28") {
            return refuse(400, "Bad Request: unsupported API version");
        }
        let (path, _) = target(request);
        match (trouble, bearer(request)) {
            (Some(Trouble::ServerError), _) => return refuse(500, "Server Error"),
            (None | Some(Trouble::MissingScope | Trouble::Throttled(_)), Some(TOKEN)) => {}
            (_, Some(_)) => return refuse(401, "Bad credentials"),
            (_, None) if path == "/rate_limit" => return self.rate_limit(ANONYMOUS),
            (_, None) => return refuse(401, "Requires authentication"),
        }
        if request.method != "GET" {
            return refuse(404, "Not Found");
        }
        let throttled = match trouble {
            Some(Trouble::Throttled(wait)) => Some(wait),
            // The limit's own document costs nothing.
            _ if path == "/rate_limit" => self.core.take(0, now).err().map(Some),
            _ => self.core.take(1, now).err().map(Some),
        };
        if let Some(wait) = throttled {
            let mut response = refuse(
                403,
                "You have exceeded a secondary rate limit. Please wait a few minutes.",
            );
            response.headers.extend(retry_after(wait));
            return response;
        }
        let mut response = self.known(path);
        let scopes = if trouble == Some(Trouble::MissingScope) {
            "read:user"
        } else {
            "repo, read:org"
        };
        response.headers.push(("x-oauth-scopes".to_owned(), scopes.to_owned()));
        self.limits(&mut response);
        response
    }

    fn drifted(&self, body: Value) -> Value {
        json!({ "data": body })
    }
}
