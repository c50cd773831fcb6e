//! `serve` and `demo`.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context as _;
use lk_core::access::{Standing, Verb, authorize};
use lk_core::time::HOUR;
use lk_engine::{Clock, Engine};
use lk_server::{App, Tls};
use lk_store::NewOneTimeLink;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;

use super::print_line;
use crate::cli::{Demo, Serve, Where};
use crate::config::Config;
use crate::demo::DemoRunner;
use crate::{logging, wiring};

/// How long the link of a first start works.
const SETUP_LINK_MS: i64 = 24 * HOUR;
/// The project that exists from the start.
const DEFAULT_PROJECT: &str = "default";

/// Serves until SIGTERM or Ctrl-C.
pub(crate) async fn serve(args: Serve) -> anyhow::Result<()> {
    let mut config = Config::read(&args.at)?;
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    logging::start(config.log_format);
    run(config, false).await
}

/// Serves with the demo loaded.
pub(crate) async fn demo(args: Demo) -> anyhow::Result<()> {
    let fresh = args.data_dir.is_none();
    let dir = args
        .data_dir
        .unwrap_or_else(|| std::env::temp_dir().join("linekeeper-demo"));
    if fresh && dir.exists() {
        std::fs::remove_dir_all(&dir)
            .with_context(|| format!("the demo's folder {} cannot be emptied", dir.display()))?;
    }
    let at = Where {
        data_dir: Some(dir),
        ..Where::default()
    };
    let mut config = Config::read(&at)?;
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    logging::start(config.log_format);
    run(config, true).await
}

async fn run(config: Config, load_demo: bool) -> anyhow::Result<()> {
    let server = config.server()?;
    let tls = config.tls_files().map(|(cert, key)| Tls::open(cert, key)).transpose();
    let tls = tls.context("TLS cannot be served")?;
    let metrics = PrometheusBuilder::new()
        .install_recorder()
        .context("metrics cannot be started")?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", config.listen))?;
    let address = listener.local_addr()?;
    let engine = wiring::start_engine(&config).await?;
    if let Some(project) = server.oidc.as_ref().and_then(|oidc| oidc.project.as_deref()) {
        let known = engine.store().project(project).await;
        known.with_context(|| format!("[oidc] project `{project}` cannot be used"))?;
    }
    let inner = inner_listener(tls.is_some()).await?;
    let demo_address = inner.as_ref().map_or(Ok(address), TcpListener::local_addr)?;
    let demo = Arc::new(DemoRunner::new(engine.clone(), demo_address));
    demo.resume().await?;
    let app = App::new(engine.clone(), server, Some(metrics), Some(demo.clone()));
    let url = format!("{}://{address}", config.scheme());
    wiring::note_address(&config, config.public_url.as_deref().unwrap_or(&url));
    if load_demo {
        let project = engine.store().project(DEFAULT_PROJECT).await?;
        let permit = authorize(&Standing::command_line(), Verb::ManageDemo)?;
        demo.start(&permit, &project).await?;
    }
    let base = config.public_url.clone().unwrap_or_else(|| url.clone());
    offer_setup(&engine, &base).await?;
    let stop = asked_to_stop()?;
    print_line(&format!("ready {url}"))?;
    let served = serve_all(listener, tls, inner, app, stop).await;
    tracing::info!("stopping: what was accepted is being stored");
    engine.stop().await;
    served.context("serving failed")
}

/// With TLS, a plain listener on loopback beside it: the demo's senders do not know our certificate.
async fn inner_listener(tls: bool) -> anyhow::Result<Option<TcpListener>> {
    if !tls {
        return Ok(None);
    }
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    Ok(Some(bound.context("loopback cannot be listened on")?))
}

async fn serve_all(
    listener: TcpListener,
    tls: Option<Tls>,
    inner: Option<TcpListener>,
    app: App,
    stop: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let (Some(tls), Some(inner)) = (tls, inner) else {
        return lk_server::serve(listener, app, stop).await;
    };
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    let outside = async {
        let served = lk_server::serve_tls(listener, tls, app.clone(), stop).await;
        drop(ended);
        served
    };
    // Its end is the other's: an error of `end` means just that.
    let inside = lk_server::serve(inner, app.clone(), async { drop(end.await) });
    let (outside, inside) = tokio::join!(outside, inside);
    outside.and(inside)
}

/// Prints the link with which the first person makes themselves the owner.
async fn offer_setup(engine: &Engine, base: &str) -> anyhow::Result<()> {
    if !engine.store().needs_setup().await? {
        return Ok(());
    }
    let token = lk_server::new_token().map_err(|e| anyhow::anyhow!("{}", e.message()))?;
    let now = Clock::system().now();
    let link = NewOneTimeLink {
        hash: lk_server::token_hash(&token).to_vec(),
        purpose: "setup".to_owned(),
        project_id: None,
        subject: None,
        payload: "{}".to_owned(),
        expires_at: now + SETUP_LINK_MS,
    };
    let permit = authorize(&Standing::command_line(), Verb::ManageUsers)?;
    engine.store().create_one_time_link(&permit, &link, now).await?;
    // Standard error, so that the one line on standard output stays the one scripts wait for.
    eprintln!("\n  Nobody owns this installation yet. Open this link within 24 hours to become its owner:");
    eprintln!("  {base}/setup?token={token}\n");
    Ok(())
}

/// A future that ends when the process is asked to stop. The handlers are in place when this
/// returns, so that a signal sent right after "ready" is not missed.
fn asked_to_stop() -> anyhow::Result<impl Future<Output = ()> + Send> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("signals cannot be received")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be received")?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // Without a handler there is nothing to wait for but the process's end.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
