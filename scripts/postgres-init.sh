#!/usr/bin/env bash
# Run once by the PostgreSQL image on an empty volume: Label Studio's own role and database.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --set password="$LABEL_STUDIO_DB_PASSWORD" \
  --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE label_studio LOGIN PASSWORD :'password';
CREATE DATABASE label_studio OWNER label_studio;
REVOKE CONNECT ON DATABASE assay FROM PUBLIC;
REVOKE CONNECT ON DATABASE label_studio FROM PUBLIC;
SQL
