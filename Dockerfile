# onsale as an image: one binary on a small Debian. Nothing is fetched when it runs.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /onsale
COPY . .
# The caches outlive the build, so that only what changed is compiled again.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/onsale/target \
    cargo build --locked --release --bin onsale \
    && cp target/release/onsale /usr/local/bin/onsale

FROM debian:bookworm-slim
# The roots that an identity provider's keys are fetched under (ONSALE_JWKS_URL).
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
# A number, so that an orchestrator can see that it is not root.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin onsale
COPY --from=build /usr/local/bin/onsale /usr/local/bin/onsale
USER 10001
ENV ONSALE_LISTEN=0.0.0.0:8080 ONSALE_LOG_FORMAT=json
EXPOSE 8080
# SIGTERM drains: requests that run are finished.
STOPSIGNAL SIGTERM
# Whether it is alive and ready is asked over HTTP: GET /livez, GET /readyz.
ENTRYPOINT ["onsale"]
CMD ["serve"]
