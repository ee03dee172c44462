"""Operations for migrations that Tortoise lacks."""

from typing import Any

from tortoise.migrations.operations import CreateModel, RunSQL

REFERENCES = {"user_id": "users", "bot_id": "bots", "persona_id": "personas", "group_id": "groups"}


class CreateTenantModel(CreateModel):
    """CreateModel with composite foreign keys: `organization_id` and each of REFERENCES.

    They must be part of CREATE TABLE, since SQLite cannot add them later. Tortoise itself declares
    only keys of one column.
    """

    async def database_forward(
        self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None
    ) -> None:
        if not state_editor:
            return
        model = new_state.apps.get_model(f"{app_label}.{self.name}")
        keys = [
            f'FOREIGN KEY ("organization_id", "{column}") REFERENCES "{table}" '
            '("organization_id", "id")'
            for column, table in REFERENCES.items()
            if column in model._meta.fields_map
        ]
        table_sql = state_editor._get_model_sql_data(model).table_sql
        columns, end, indexes = table_sql.partition("\n)")
        await state_editor._run_sql(",\n    ".join([columns, *keys]) + end + indexes)


class OnPostgres(RunSQL):
    """RunSQL on PostgreSQL only."""

    async def database_forward(
        self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None
    ) -> None:
        if state_editor and state_editor.client.capabilities.dialect == "postgres":
            await super().database_forward(app_label, old_state, new_state, state_editor)
