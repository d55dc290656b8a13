# The portal and its workers, in one image: compose.yaml says who is which.
FROM python:3.11-slim-bookworm

# git serves the teams' repositories; PostgreSQL's programs take and bring back backups. The base
# image pins the distribution, whose security updates are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends git make postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 drydock \
    && install -d -o drydock -g drydock /srv/drydock /opt/drydock

WORKDIR /opt/drydock
COPY --chown=drydock:drydock . .
USER 10001
RUN make setup PYTHON=python3

ENV PATH=/opt/drydock/.venv/bin:$PATH \
    DRYDOCK_DATA=/srv/drydock
EXPOSE 8501
VOLUME /srv/drydock
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/health')"]
CMD ["drydock", "serve", "--host", "0.0.0.0", "--workers", "0"]
