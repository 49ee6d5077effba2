# The image of onsale: one binary on a small Debian. The container downloads nothing at run time.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /onsale
COPY . .
# The caches outlive the build, so that only changed crates are compiled again. Without its default features,
# the binary has no `onsale dev` and none of its code.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/onsale/target \
    cargo build --locked --release --no-default-features --bin onsale \
    && cp target/release/onsale /usr/local/bin/onsale

FROM debian:bookworm-slim
# CA certificates, to fetch an identity provider's keys over https (ONSALE_JWKS_URL).
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
# A numeric user, so that an orchestrator can check that it is not root.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin onsale
COPY --from=build /usr/local/bin/onsale /usr/local/bin/onsale
USER 10001
ENV ONSALE_LISTEN=0.0.0.0:8080 ONSALE_LOG_FORMAT=json
EXPOSE 8080
# On SIGTERM the service drains: requests in progress are finished.
STOPSIGNAL SIGTERM
# Health checks are over HTTP: GET /livez and GET /readyz.
ENTRYPOINT ["onsale"]
CMD ["serve"]
