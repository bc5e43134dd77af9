-- SPDX-License-Identifier: MPL-2.0
-- The one table of a home, compiled into the node. The first two lines are repeated in database.c.
PRAGMA application_id = 0x4d61696c;
PRAGMA user_version = 1;

-- `meeting` 0 is the home itself. `kind` is a MeshItemKind, or one of store.c's own.
-- `value` is sealed; `checksum` is keyed and covers the four columns before it.
CREATE TABLE item (
    seq INTEGER PRIMARY KEY,
    meeting INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    checksum BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX item_key ON item (meeting, kind, key);

-- Entries are loaded in the order in which they were first put, without a look at the blocks.
CREATE INDEX item_order ON item (meeting) WHERE kind = 2;
