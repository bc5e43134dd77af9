/* SPDX-License-Identifier: MPL-2.0 */
/* Chains joined into one causal order, whatever order the entries come in; forks; the clock. */
#include <sodium.h>
#include <stdlib.h>

#include "mesh/journal/journal.h"
#include "tests/unit/mesh_writer.h"

static const MeshHash MEETING = {"a meeting id of thirty-two byte"};

#define AUTHORS 4
#define ENTRIES 120

/* A history: each entry cites the newest of one or two other authors. */
typedef struct {
    Writer authors[AUTHORS];
    Written entries[ENTRIES];
} History;

static History *history_new(void) {
    History *history = g_new0(History, 1);
    const MeshHash *newest[AUTHORS] = {NULL};

    for (uint8_t i = 0; i < AUTHORS; i++) {
        writer_init(&history->authors[i], (uint8_t)(i + 1));
    }
    for (guint i = 0; i < ENTRIES; i++) {
        guint author = (i * i + i / 3) % AUTHORS;
        MeshHash cited[2];
        size_t count = 0;
        uint8_t act[2] = {(uint8_t)i, 0};

        for (guint other = 1; other <= 1 + i % 2; other++) {
            if (newest[(author + other) % AUTHORS]) {
                cited[count++] = *newest[(author + other) % AUTHORS];
            }
        }
        writer_write(&history->authors[author], &MEETING, cited, count, BYTES_OF(act), BYTES_NONE,
                     NULL, &history->entries[i]);
        newest[author] = &history->entries[i].hash;
    }
    return history;
}

static bool allow(void *context, const Entry *entry) {
    return !context || !mesh_key_equal(context, &entry->author);
}

static MeshError hold(Journal *journal, const Written *written) {
    return journal_hold(journal, written->bytes, written->length);
}

/* Applies what can be; the number of forks seen. */
static guint apply_all(Journal *journal, const MeshKey *refused) {
    uint64_t contradictions = 0;
    guint forks = 0;
    bool forked;

    while (journal_apply_next(journal, allow, (void *)refused, &forked, &contradictions)) {
        forks += forked;
    }
    return forks;
}

static void shuffle(guint *order, guint count, guint32 seed) {
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);

    for (guint i = 0; i < count; i++) {
        order[i] = i;
    }
    for (guint i = count; i-- > 1;) {
        guint other = (guint)g_rand_int_range(random, 0, (gint32)i + 1);
        guint kept = order[i];

        order[i] = order[other];
        order[other] = kept;
    }
}

static void assert_causal(const Journal *journal) {
    for (size_t i = 0; i < journal_count(journal); i++) {
        const Record *record = journal_record(journal, i);
        Entry entry;

        g_assert_cmpint(entry_read(record->bytes, record->length, &entry), ==, MESH_OK);
        for (size_t c = 0; c < entry.cited_count; c++) {
            const Record *cited = journal_find(journal, &entry.cited[c]);

            g_assert_nonnull(cited);
            g_assert_true(cited < record);
            g_assert_cmpuint(cited->height, <, record->height);
        }
    }
}

static void test_any_order(void) {
    g_autofree History *history = history_new();
    uint8_t digest[JOURNAL_DIGEST_SIZE], expected[JOURNAL_DIGEST_SIZE];

    for (guint32 seed = 0; seed < 20; seed++) {
        Journal *journal = journal_create();
        guint order[ENTRIES];

        shuffle(order, ENTRIES, seed);
        for (guint i = 0; i < ENTRIES; i++) {
            const Written *entry = &history->entries[seed == 0 ? i : order[i]];

            g_assert_false(journal_knows(journal, &entry->hash));
            g_assert_cmpint(hold(journal, entry), ==, MESH_OK);
            g_assert_true(journal_knows(journal, &entry->hash));
            g_assert_cmpint(hold(journal, entry), ==, MESH_ERROR_REPLAYED);
            g_assert_cmpuint(apply_all(journal, NULL), ==, 0);
            g_assert_cmpint(hold(journal, entry), ==, MESH_ERROR_REPLAYED);
        }
        g_assert_cmpuint(journal_count(journal), ==, ENTRIES);
        g_assert_cmpuint(journal_waiting(journal), ==, 0);
        assert_causal(journal);
        journal_clock_digest(journal, digest);
        if (seed == 0) {
            memcpy(expected, digest, sizeof expected);
        }
        g_assert_cmpmem(digest, sizeof digest, expected, sizeof expected);
        journal_destroy(journal);
    }
}

/* What is missing is named, and only that. */
static void test_missing(void) {
    g_autofree History *history = history_new();
    Journal *journal = journal_create();
    MeshHash hash;
    guint given = ENTRIES;

    /* From the newest back, giving only what is asked for. */
    g_assert_cmpint(hold(journal, &history->entries[ENTRIES - 1]), ==, MESH_OK);
    while (journal_missing(journal, 0, &hash)) {
        guint i = 0;

        g_assert_false(journal_knows(journal, &hash));
        while (!mesh_hash_equal(&history->entries[i].hash, &hash)) {
            i++;
        }
        g_assert_cmpint(hold(journal, &history->entries[i]), ==, MESH_OK);
        g_assert_cmpuint(given--, >, 0);
    }
    apply_all(journal, NULL);
    g_assert_cmpuint(journal_waiting(journal), ==, 0);
    g_assert_cmpuint(journal_count(journal), >, ENTRIES / 2);
    journal_destroy(journal);
}

static void test_not_allowed(void) {
    g_autofree History *history = history_new();
    Journal *journal = journal_create();
    Writer admitter;
    Written admission;

    for (guint i = 0; i < ENTRIES; i++) {
        g_assert_cmpint(hold(journal, &history->entries[i]), ==, MESH_OK);
    }
    apply_all(journal, &history->authors[0].self.key);
    g_assert_cmpuint(journal_count(journal), <, ENTRIES);
    for (size_t i = 0; i < journal_count(journal); i++) {
        const Chain *chain = journal_chain(journal, journal_record(journal, i)->chain);

        g_assert_false(mesh_key_equal(&chain->author, &history->authors[0].self.key));
    }
    /* Whoever was refused is asked about again after a public act. */
    writer_init(&admitter, AUTHORS + 1);
    writer_write(&admitter, &MEETING, NULL, 0, BYTES_OF("x"), BYTES_NONE, NULL, &admission);
    hold(journal, &admission);
    apply_all(journal, NULL);
    g_assert_cmpuint(journal_count(journal), ==, ENTRIES + 1);
    journal_destroy(journal);
}

static void test_clock(void) {
    g_autofree History *history = history_new();
    Journal *journal = journal_create();
    uint8_t tag[JOURNAL_TAG_SIZE];

    for (guint i = 0; i < ENTRIES; i++) {
        hold(journal, &history->entries[i]);
    }
    apply_all(journal, NULL);
    g_assert_cmpuint(journal_clock_size(journal), ==, AUTHORS);
    for (size_t i = 0; i < AUTHORS; i++) {
        const Writer *author = &history->authors[i];
        ClockLine line;

        journal_chain_tag(&author->self.key, author->chain, tag);
        line = journal_clock_find(journal, tag);
        g_assert_cmpuint(line.count, ==, author->sequence);
        g_assert_cmpmem(line.head, JOURNAL_HEAD_SIZE, author->previous.bytes, JOURNAL_HEAD_SIZE);
        g_assert_true(
            mesh_hash_equal(&journal_at(journal, tag, line.count - 1)->hash, &author->previous));
        g_assert_null(journal_at(journal, tag, line.count));
        g_assert_null(journal_at(journal, tag, UINT64_MAX));
        if (i > 0) {
            ClockLine before = journal_clock_line(journal, i - 1);

            line = journal_clock_line(journal, i);
            g_assert_cmpint(memcmp(before.tag, line.tag, JOURNAL_TAG_SIZE), <, 0);
        }
    }
    tag[0]++;
    g_assert_cmpuint(journal_clock_find(journal, tag).count, ==, 0);
    g_assert_null(journal_at(journal, tag, 0));
    journal_destroy(journal);
}

static void test_tips(void) {
    static const uint8_t nobody[JOURNAL_TAG_SIZE];
    g_autofree History *history = history_new();
    Journal *journal = journal_create();
    MeshHash tips[MESH_CITED_MAX];
    uint8_t own[JOURNAL_TAG_SIZE];
    size_t count;

    for (guint i = 0; i < ENTRIES; i++) {
        hold(journal, &history->entries[i]);
    }
    apply_all(journal, NULL);
    count = journal_tips(journal, nobody, tips);
    g_assert_cmpuint(count, >=, 1);
    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < journal_count(journal); i++) {
            Entry entry;

            entry_read(journal_record(journal, i)->bytes, journal_record(journal, i)->length,
                       &entry);
            g_assert_false(entry.has_previous && mesh_hash_equal(&entry.previous, &tips[t]));
            for (size_t c = 0; c < entry.cited_count; c++) {
                g_assert_false(mesh_hash_equal(&entry.cited[c], &tips[t]));
            }
        }
    }
    for (size_t i = 0; i < AUTHORS; i++) {
        journal_chain_tag(&history->authors[i].self.key, history->authors[i].chain, own);
        g_assert_cmpuint(journal_tips(journal, own, tips), <=, count);
    }
    journal_destroy(journal);
}

/* No more heads than an entry may cite, the newest. */
static void test_many_tips(void) {
    static const uint8_t nobody[JOURNAL_TAG_SIZE];
    Journal *journal = journal_create();
    MeshHash tips[MESH_CITED_MAX];
    Written written = {.length = 0};

    for (uint8_t i = 0; i < 40; i++) {
        Writer writer;

        writer_init(&writer, i);
        writer_write(&writer, &MEETING, NULL, 0, BYTES_OF("x"), BYTES_NONE, NULL, &written);
        hold(journal, &written);
        apply_all(journal, NULL);
    }
    g_assert_cmpuint(journal_tips(journal, nobody, tips), ==, MESH_CITED_MAX);
    g_assert_true(mesh_hash_equal(&tips[0], &written.hash));
    journal_destroy(journal);
}

/* One author, three entries with one number, and more behind two of them. */
static void test_fork(void) {
    Writer writer, twin, third;
    Written common, left[3], right[3], alone;
    uint8_t tag[JOURNAL_TAG_SIZE];

    writer_init(&writer, 1);
    writer_write(&writer, &MEETING, NULL, 0, BYTES_OF("0"), BYTES_NONE, NULL, &common);
    twin = writer;
    third = writer;
    for (guint i = 0; i < 3; i++) {
        writer_write(&writer, &MEETING, NULL, 0, BYTES_OF("left"), BYTES_NONE, NULL, &left[i]);
        writer_write(&twin, &MEETING, NULL, 0, BYTES_OF("right"), BYTES_NONE, NULL, &right[i]);
    }
    writer_write(&third, &MEETING, NULL, 0, BYTES_OF("alone"), BYTES_NONE, NULL, &alone);
    journal_chain_tag(&writer.self.key, writer.chain, tag);
    for (guint32 seed = 0; seed < 40; seed++) {
        const Written *all[] = {&common,   &left[0],  &left[1],  &left[2],
                                &right[0], &right[1], &right[2], &alone};
        Journal *journal = journal_create();
        guint order[G_N_ELEMENTS(all)];
        guint forks = 0;

        shuffle(order, G_N_ELEMENTS(all), seed);
        for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
            g_assert_cmpint(hold(journal, all[order[i]]), ==, MESH_OK);
            forks += apply_all(journal, NULL);
        }
        g_assert_cmpuint(journal_count(journal), ==, G_N_ELEMENTS(all));
        g_assert_cmpuint(forks, ==, 1);
        g_assert_cmpuint(journal_chain(journal, 0)->fork_at, ==, 1);
        for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
            g_assert_true(journal_is_cut(journal, journal_find(journal, &all[i]->hash)) ==
                          (all[i] != &common));
        }
        g_assert_cmpuint(journal_clock_find(journal, tag).count, ==, 1);
        /* One branch, not a mixture of them. */
        for (uint64_t sequence = 1; journal_at(journal, tag, sequence); sequence++) {
            const Record *record = journal_at(journal, tag, sequence);
            Entry entry;

            entry_read(record->bytes, record->length, &entry);
            g_assert_cmpuint(record->sequence, ==, sequence);
            g_assert_true(
                mesh_hash_equal(&entry.previous, &journal_at(journal, tag, sequence - 1)->hash));
        }
        journal_destroy(journal);
    }
}

/* A `previous` of somebody else, of another chain, or of another number. */
static void test_contradictions(void) {
    Writer alice, bob, other;
    Written first, second, wrong[3];
    uint64_t refused = 0;
    bool forked;
    Journal *journal = journal_create();

    writer_init(&alice, 1);
    writer_init(&bob, 2);
    writer_write(&alice, &MEETING, NULL, 0, BYTES_OF("a"), BYTES_NONE, NULL, &first);
    other = alice;
    writer_write(&alice, &MEETING, NULL, 0, BYTES_OF("b"), BYTES_NONE, NULL, &second);
    bob.sequence = 1;
    bob.previous = first.hash;
    writer_write(&bob, &MEETING, NULL, 0, BYTES_OF("c"), BYTES_NONE, NULL, &wrong[0]);
    other.chain[3]++;
    writer_write(&other, &MEETING, NULL, 0, BYTES_OF("d"), BYTES_NONE, NULL, &wrong[1]);
    other = alice;
    other.sequence = 7;
    writer_write(&other, &MEETING, NULL, 0, BYTES_OF("e"), BYTES_NONE, NULL, &wrong[2]);
    for (guint i = 0; i < 3; i++) {
        hold(journal, &wrong[i]);
    }
    hold(journal, &second);
    hold(journal, &first);
    while (journal_apply_next(journal, allow, NULL, &forked, &refused)) {
    }
    g_assert_cmpuint(journal_count(journal), ==, 2);
    g_assert_cmpuint(journal_waiting(journal), ==, 0);
    g_assert_cmpuint(refused, ==, 3);
    journal_destroy(journal);
}

static bool drop_oldest(Journal *journal, MeshHash *ret_hash) {
    Bytes bytes;
    bool any = journal_oldest(journal, ret_hash, &bytes);

    if (any) {
        Entry entry;

        g_assert_cmpint(entry_read(bytes.data, bytes.length, &entry), ==, MESH_OK);
        g_assert_true(mesh_hash_equal(&entry.hash, ret_hash));
    }
    journal_drop_oldest(journal);
    return any;
}

/* The largest pile of waiting entries is bounded, and applied in a bearable time. */
static void test_full(void) {
    Journal *journal = journal_create();
    Writer writer;
    Written *all = g_new(Written, MESH_PENDING_MAX + 2);
    MeshHash hash;

    writer_init(&writer, 1);
    for (guint i = 0; i < MESH_PENDING_MAX + 2; i++) {
        writer_write(&writer, &MEETING, NULL, 0, BYTES_OF("x"), BYTES_NONE, NULL, &all[i]);
    }
    for (guint i = 1; i <= MESH_PENDING_MAX; i++) {
        g_assert_cmpint(hold(journal, &all[i]), ==, MESH_OK);
    }
    g_assert_cmpint(hold(journal, &all[MESH_PENDING_MAX + 1]), ==, MESH_ERROR_FULL);
    g_assert_true(journal_missing(journal, 0, &hash));
    g_assert_true(mesh_hash_equal(&hash, &all[0].hash));
    g_assert_false(journal_missing(journal, 1, &hash));
    apply_all(journal, NULL);
    g_assert_cmpuint(journal_count(journal), ==, 0);
    /* The oldest makes room. */
    g_assert_true(drop_oldest(journal, &hash));
    g_assert_true(mesh_hash_equal(&hash, &all[1].hash));
    g_assert_cmpint(hold(journal, &all[MESH_PENDING_MAX + 1]), ==, MESH_OK);
    g_assert_cmpint(hold(journal, &all[0]), ==, MESH_ERROR_FULL);
    g_assert_true(drop_oldest(journal, &hash));
    g_assert_cmpint(hold(journal, &all[0]), ==, MESH_OK);
    apply_all(journal, NULL);
    g_assert_cmpuint(journal_count(journal), ==, 1);
    g_assert_cmpuint(journal_waiting(journal), ==, MESH_PENDING_MAX - 1);
    while (drop_oldest(journal, &hash)) {
    }
    g_assert_cmpuint(journal_waiting(journal), ==, 0);
    journal_destroy(journal);
    g_free(all);
}

static void test_garbage(void) {
    Journal *journal = journal_create();
    uint8_t bytes[100] = {0};

    g_assert_cmpint(journal_hold(journal, bytes, sizeof bytes), ==, MESH_ERROR_MALFORMED);
    g_assert_cmpint(journal_hold(journal, NULL, 0), ==, MESH_ERROR_MALFORMED);
    g_assert_cmpuint(journal_waiting(journal), ==, 0);
    journal_destroy(journal);
    journal_destroy(NULL);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/journal/any-order", test_any_order);
    g_test_add_func("/mesh/journal/missing", test_missing);
    g_test_add_func("/mesh/journal/not-allowed", test_not_allowed);
    g_test_add_func("/mesh/journal/clock", test_clock);
    g_test_add_func("/mesh/journal/tips", test_tips);
    g_test_add_func("/mesh/journal/many-tips", test_many_tips);
    g_test_add_func("/mesh/journal/fork", test_fork);
    g_test_add_func("/mesh/journal/contradictions", test_contradictions);
    g_test_add_func("/mesh/journal/full", test_full);
    g_test_add_func("/mesh/journal/garbage", test_garbage);
    return g_test_run();
}
