"""What is taken out of keeping the store in a database that several processes reach."""

from __future__ import annotations

from prove.breakage import Breakage

DATABASES = "Databases"
_LOGINS = "Logins to a database"
_SQL_SERVER = "A store in SQL Server"
_STORE = "sync/cirahub_sync/store"
_CONTENTION = "tests/store/test_contention.py"
_SQL_SERVER_S = "tests/store/test_sqlserver.py"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=DATABASES,
        what="two that take a hub at the same moment both have it",
        file=f"{_STORE}/lease.py",
        old='        hubs.c.lease_token == bindparam("token"),\n'
        '        hubs.c.lease_expires == bindparam("expires"),\n',
        new='        hubs.c.lease_token >= bindparam("token"),\n'
        '        hubs.c.lease_expires >= bindparam("expires"),\n',
        tests=f"{_CONTENTION}::test_of_two_that_take_a_hub_at_the_same_moment_one_has_it",
    ),
    Breakage(
        guards=DATABASES,
        what="who makes a hub does not give way",
        file=f"{_STORE}/postgresql.py",
        old="insert(table).on_conflict_do_nothing()",
        new="insert(table)",
        tests=f"{_CONTENTION}::test_a_hub_that_two_make_at_the_same_moment_has_one_key",
    ),
    Breakage(
        guards=DATABASES,
        what="several migrate at once",
        file=f"{_STORE}/postgresql.py",
        old='"SELECT pg_advisory_xact_lock(:lock)"',
        new='"SELECT CAST(:lock AS bigint)"',
        tests=f"{_CONTENTION}::test_who_starts_while_another_migrates_waits_and_finds_it_done",
    ),
    Breakage(
        guards=DATABASES,
        what="a read sees one state after the other",
        file=f"{_STORE}/postgresql.py",
        old='isolation_level="REPEATABLE READ"',
        new='isolation_level="READ COMMITTED"',
        tests=f"{_CONTENTION}::test_a_read_sees_one_state_whatever_is_written_meanwhile",
    ),
    Breakage(
        guards=DATABASES,
        what="what is noted beside a pass does not wait for it",
        file=f"{_STORE}/hub.py",
        old="values(key_version=hubs.c.key_version)",
        new="where(hubs.c.seq < 0).values(key_version=hubs.c.key_version)",
        tests=f"{_CONTENTION}::"
        "test_what_a_pass_writes_and_what_is_noted_beside_it_are_one_after_the_other",
    ),
    Breakage(
        guards=DATABASES,
        what="what was opened for one item is handed out for another",
        file=f"{_STORE}/sealed.py",
        old="self._opened.get((item, sealed), ",
        new="self._opened.get(sealed, ",
        tests="tests/store/test_sealed.py::test_what_was_sealed_for_one_item_opens_for_no_other",
    ),
    Breakage(
        guards=DATABASES,
        what="a connection to a server that was restarted is taken for good",
        file=f"{_STORE}/postgresql.py",
        old="pool_pre_ping=True",
        new="pool_pre_ping=False",
        tests="tests/engine/test_database_outage.py::"
        "test_a_server_that_was_restarted_between_two_passes_is_not_noticed",
    ),
    Breakage(
        guards=DATABASES,
        what="what was verified before the database crashed is taken for granted",
        file="sync/cirahub_sync/worker.py",
        old="            self._verified.clear()\n",
        new="",
        tests="tests/engine/test_database_outage.py::"
        "test_a_server_that_ends_within_a_pass_ends_the_pass_and_the_next_one_goes_on[crash]",
    ),
    Breakage(
        guards=_SQL_SERVER,
        what="who has not accepted that it is untested has a store there",
        file=f"{_STORE}/sqlserver.py",
        old="    if url.query.get(UNTESTED) != ACCEPTED:\n",
        new="    if not url.query:\n",
        tests="tests/store/test_opening.py::"
        "test_a_url_that_is_none_is_told_without_what_is_secret_in_it",
    ),
    Breakage(
        guards=_SQL_SERVER,
        what="a lost connection is made anew without a word",
        file=f"{_STORE}/sqlserver.py",
        old='    "ConnectRetryCount": "0",\n',
        new="",
        tests=f"{_SQL_SERVER_S}::"
        "test_the_driver_is_told_to_have_proofs_and_never_to_connect_anew_without_a_word",
    ),
    Breakage(
        guards=_SQL_SERVER,
        what="a token goes to a server that nobody vouches for",
        file=f"{_STORE}/sqlserver.py",
        old="        if by_token and url.host not in backend.LOOPBACK and not _proves(given):\n",
        new="        if by_token and not given:\n",
        tests=f"{_SQL_SERVER_S}::test_a_token_goes_to_no_server_that_has_not_proved_who_it_is",
    ),
    Breakage(
        guards=_SQL_SERVER,
        what="spokes without an address are taken for the same",
        file=f"{_STORE}/transact_sql.py",
        old="if any(column.nullable for column in constraint.columns):",
        new="if not constraint.columns:",
        tests=f"{_SQL_SERVER_S}::test_spokes_without_an_address_are_not_taken_for_the_same",
    ),
    Breakage(
        guards=_SQL_SERVER,
        what="an id that is too long is cut to another's",
        file=f"{_STORE}/transact_sql.py",
        old="_INLINE_CHARACTERS if kind.length else",
        new="kind.length or",
        tests=f"{_SQL_SERVER_S}::test_a_value_is_not_cut_to_what_a_column_holds",
    ),
    Breakage(
        guards=_SQL_SERVER,
        what="a row does not find the one with its key that came with it",
        file=f"{_STORE}/listed.py",
        old="        if key in met:\n            yield part\n            part, met = [], set()\n",
        new="",
        tests="tests/store/test_listed.py::"
        "test_of_rows_with_the_same_key_the_next_finds_what_the_one_before_made",
    ),
    Breakage(
        guards=_LOGINS,
        what="a password is read once",
        file=f"{_STORE}/login.py",
        old="        return PasswordFile(Path(file))\n",
        new="        password = PasswordFile(Path(file))()\n        return lambda: password\n",
        tests="tests/store/test_login.py::"
        "test_a_password_that_changes_while_the_process_runs_is_read_for_new_connections",
    ),
    Breakage(
        guards=_LOGINS,
        what="a token is used after its end",
        file="sync/cirahub_sync/identity/database_token.py",
        old="now < self._renew_at:",
        new="self._granted:",
        tests="tests/identity/test_database_token.py::"
        "test_new_connections_have_a_fresh_token_and_old_ones_go_on",
    ),
    Breakage(
        guards=_LOGINS,
        what="an outage of Entra's is one of the database at once",
        file="sync/cirahub_sync/identity/database_token.py",
        old="if self._granted is None or now >= self._ends_at - _TOO_SHORT:",
        new="if now >= self._renew_at:",
        tests="tests/identity/test_database_token.py::"
        "test_while_entra_is_away_a_token_serves_to_its_end",
    ),
    Breakage(
        guards=_LOGINS,
        what="a server elsewhere is believed whoever vouches for it",
        file=f"{_STORE}/postgresql.py",
        old='        "sslmode": "verify-full",\n',
        new='        "sslmode": "require",\n',
        tests="tests/store/test_tls.py::test_a_server_that_proves_nothing_is_told_nothing",
    ),
    Breakage(
        guards=_LOGINS,
        what="a token goes to a server that has proved nothing",
        file=f"{_STORE}/postgresql.py",
        old="secret is token and not _proved(url):",
        new="secret is token and not url:",
        tests="tests/store/test_login.py::"
        "test_a_token_goes_to_no_server_that_has_not_proved_who_it_is",
    ),
    Breakage(
        guards=DATABASES,
        what="an upgrade has who was brought things already go through a first sync",
        file=f"{_STORE}/migrations/versions/0014_first_sync.py",
        old="WHERE mark = 0",
        new="WHERE mark >= 0",
        tests="tests/store/test_migration.py::"
        "test_each_row_of_each_earlier_schema_is_there_after_the_upgrade",
    ),
    Breakage(
        guards=_LOGINS,
        what="a server that only the environment names is taken for this machine",
        file=f"{_STORE}/postgresql.py",
        old="list(filter(None, map(os.environ.get, _WHERE)))",
        new="[]",
        tests="tests/store/test_opening.py::"
        "test_a_server_that_the_environment_names_has_to_prove_who_it_is",
    ),
    Breakage(
        guards=DATABASES,
        what="a database that nothing is made for is taken for one that is",
        file=f"{_STORE}/database.py",
        old='if name == "sqlite":',
        new='if name in {"sqlite", "mssql"}:',
        tests="tests/store/test_opening.py::"
        "test_a_url_that_is_none_is_told_without_what_is_secret_in_it",
    ),
    Breakage(
        guards=DATABASES,
        what="a schema of a newer version is touched",
        file=f"{_STORE}/database.py",
        old="if current is not None and current not in revisions():",
        new="if current is not None and not revisions():",
        tests="tests/store/test_opening.py::test_a_schema_of_a_newer_version_is_left_alone",
    ),
    Breakage(
        guards=DATABASES,
        what="keys in common are looked for again and again where nothing is known of the tables",
        file=f"{_STORE}/twins.py",
        old='        .cte("shared")\n        .prefix_with("MATERIALIZED"',
        new='            .cte("shared")\n            .prefix_with("NOT MATERIALIZED"',
        tests="tests/engine/test_duplicates.py::"
        "test_keys_in_common_are_found_once_though_nothing_is_known_of_the_tables",
    ),
    Breakage(
        guards=DATABASES,
        what="what a pass failed with besides is left to asyncio's log",
        file="sync/cirahub_sync/engine/held.py",
        old="return None if work.cancelled() else work.exception()",
        new="return None",
        tests="tests/engine/test_held.py::"
        "test_what_work_fails_with_while_it_is_ended_is_not_left_to_a_log",
    ),
    Breakage(
        guards=DATABASES,
        what="what a pass failed with just before it was stopped is left to asyncio's log",
        file="sync/cirahub_sync/engine/held.py",
        old="    work.cancel()\n    await",
        new="    if work.done():\n        return None\n    work.cancel()\n    await",
        tests="tests/engine/test_held.py::"
        "test_what_work_fails_with_as_it_is_told_to_stop_is_not_left_to_a_log_either",
    ),
    Breakage(
        guards=DATABASES,
        what="a table is forgotten where a store begins",
        file="sync/cirahub_sync/store/schema.py",
        old="    metadata.create_all(connection, checkfirst=False)\n",
        new="    metadata.create_all(connection, [one for one in metadata.sorted_tables][:-1])\n",
        tests="tests/store/test_migration.py::"
        "test_a_schema_made_at_once_is_the_one_that_migrations_lead_to[sqlite]",
    ),
    Breakage(
        guards=DATABASES,
        what="a store that begins is not noted as of the newest schema",
        file="sync/cirahub_sync/store/schema.py",
        old="values(version_num=revision)",
        new='values(version_num="0001")',
        tests="tests/store/test_migration.py::"
        "test_a_schema_that_is_current_is_opened_without_what_migrates",
    ),
    Breakage(
        guards=DATABASES,
        what="what a driver refuses that is handed a statement itself is nobody's error",
        file=f"{_STORE}/listed.py",
        old="    except connection.dialect.loaded_dbapi.Error as error:",
        new="    except AssertionError as error:",
        tests="tests/store/test_listed.py::"
        "test_rows_that_the_database_refuses_are_told_of_without_what_they_hold[sqlite]",
    ),
)
