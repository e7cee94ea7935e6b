# Two images from one file: `bot` (no scikit-learn, mlflow-skinny only) and `trainer` (what a training Job runs).
#   docker build --target bot -t shipmate .
#   docker build --target trainer -t shipmate-trainer .
# The root file system may be mounted read-only: only /var/lib/shipmate and /tmp are written to.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements/bot.txt requirements/trainer.txt requirements/
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY commands commands
COPY handlers handlers
COPY pipelines pipelines

FROM build AS build-bot
RUN python -m venv /opt/shipmate \
    && /opt/shipmate/bin/pip install --no-deps --require-hashes -r requirements/bot.txt \
    && /opt/shipmate/bin/pip install --no-deps .

FROM build AS build-trainer
RUN python -m venv /opt/shipmate \
    && /opt/shipmate/bin/pip install --no-deps --require-hashes -r requirements/trainer.txt \
    && /opt/shipmate/bin/pip install --no-deps .

FROM python:3.11-slim-bookworm AS runtime
LABEL org.opencontainers.image.title="shipmate" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.description="ChatOps for teams that run machine-learning models on Kubernetes"
RUN mkdir --parents /var/lib/shipmate && chown 10001:10001 /var/lib/shipmate
ENV PATH=/opt/shipmate/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/shipmate \
    SHIPMATE_DATA_DIR=/var/lib/shipmate \
    SHIPMATE_CATALOGUE_PATH=/etc/shipmate/shipmate.yaml \
    SHIPMATE_HTTP_HOST=0.0.0.0
WORKDIR /var/lib/shipmate
USER 10001:10001
VOLUME ["/var/lib/shipmate"]

FROM runtime AS trainer
COPY --from=build-trainer /opt/shipmate /opt/shipmate
ENTRYPOINT ["shipmate", "train"]

FROM runtime AS bot
COPY --from=build-bot /opt/shipmate /opt/shipmate
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health', timeout=2)"]
ENTRYPOINT ["shipmate"]
CMD ["serve"]
