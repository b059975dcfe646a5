# syntax=docker/dockerfile:1

# Two images: the platform's, which every process runs from, and the identity provider's with our realm
# (`docker build --target identity`). Base images are named by tag; put their digests beside them where you build.

FROM python:3.13-slim-bookworm AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.lock ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --quiet --no-deps --only-binary :all: --require-hashes -r requirements.lock


FROM keycloak/keycloak:26.4 AS identity-build
ENV KC_DB=postgres KC_HEALTH_ENABLED=true KC_CACHE=local
RUN /opt/keycloak/bin/kc.sh build


FROM keycloak/keycloak:26.4 AS identity
COPY --from=identity-build /opt/keycloak/ /opt/keycloak/
COPY deploy/keycloak/realm.json /opt/keycloak/data/import/realm.json
USER 1000
ENTRYPOINT ["/opt/keycloak/bin/kc.sh", "start", "--optimized", "--import-realm"]


FROM python:3.13-slim-bookworm AS platform
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORT=8000
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin platform
WORKDIR /app
COPY --from=dependencies /opt/venv /opt/venv
COPY alembic.ini ./
COPY shared shared
COPY services services
COPY gateway gateway
COPY tools tools
# Compiled here: at run time the file system is read-only.
RUN python -m compileall -q -j 0 shared services gateway tools
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/readyz', timeout=4)"]
ENTRYPOINT ["python", "-m", "shared.serve"]
CMD ["gateway.app"]
