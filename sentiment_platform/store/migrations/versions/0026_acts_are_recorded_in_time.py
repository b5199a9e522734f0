"""An act that nobody waits for any more is not recorded"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION platform.refuse_late_act() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            -- Runs at the commit: a COMMIT that reaches a frozen server is carried out when it goes on.
            IF clock_timestamp() > current_setting('platform.commit_before')::timestamptz THEN
                RAISE EXCEPTION 'nobody waits for this act any more' USING ERRCODE = 'query_canceled';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER audit_log_in_time AFTER INSERT ON platform.audit_log
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (NULLIF(current_setting('platform.commit_before', true), '') IS NOT NULL) EXECUTE FUNCTION platform.refuse_late_act()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER audit_log_in_time ON platform.audit_log")
    op.execute("DROP FUNCTION platform.refuse_late_act()")
