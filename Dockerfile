# Build the web pages
FROM node:22-slim AS web
WORKDIR /build/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci
COPY web/ ./
COPY schema/schema.graphql ../schema/schema.graphql
RUN npm run build

# Run the service
FROM python:3.11-slim
WORKDIR /app
# `--build-arg REQUIREMENTS=traces` builds an image that can also send traces.
ARG REQUIREMENTS=runs
COPY requirements/${REQUIREMENTS}.txt requirements/
RUN pip install --no-cache-dir -r requirements/${REQUIREMENTS}.txt \
    && useradd --create-home cohort \
    && install -d -o cohort /data
COPY . .
COPY --from=web /build/web/dist web/dist
USER cohort
ENV HOST=0.0.0.0 COHORT_LOG_FORMAT=json DATABASE_URL=sqlite:///data/cohort.sqlite3
VOLUME /data
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8000)}/healthz')"]
CMD ["python", "manage.py", "serve"]
