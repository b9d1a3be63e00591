# One image for every process of Assay: `serve` (API and pages), `worker`, `migrate`.
FROM python:3.11-slim-bookworm

# Which build of torch: the CPU one by default; for worker-gpu build with
# --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130
# (drivers from 580 on; for GPUs older than Turing cu126. torch 2.13 has no other CUDA 12 build.)
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

RUN groupadd --system --gid 10001 assay \
    && useradd --system --uid 10001 --gid assay --create-home assay \
    && mkdir /data && chown assay:assay /data

# A font with Chinese for the pictures that are drawn here.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-wqy-zenhei \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /app
RUN pip install uv==0.13.8 \
    && pip install --index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple torch==2.13.0

COPY requirements/app.lock requirements/encoders.lock requirements/
RUN uv pip install --system --no-cache --no-deps -r requirements/app.lock \
    && uv pip install --system --no-cache --no-deps --require-hashes -r requirements/encoders.lock

COPY pyproject.toml README.md LICENSE alembic.ini ./
COPY active_learning active_learning
COPY labeling labeling
COPY backend backend
COPY migrations migrations
RUN uv pip install --system --no-cache --no-deps -e . \
    && python -m active_learning.encoders.bundled_e5

USER assay
ENV ASSAY_DATA_DIR=/data \
    ASSAY_HOST=0.0.0.0
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["assay"]
CMD ["serve"]
