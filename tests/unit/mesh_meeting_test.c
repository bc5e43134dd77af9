/* SPDX-License-Identifier: MPL-2.0 */
/* The meeting is a fold: random histories, malicious ones included, give the same meeting on every
 * node, in whatever order their entries arrive, and so does folding all of them at once. */
#include <sodium.h>
#include <stdlib.h>

#include "mesh/meeting/meeting.h"
#include "tests/unit/mesh_meeting_history.h"

#define NODES 6
#define SEEDS 60

/* ---- one node ---- */

typedef struct {
    Journal *journal;
    Meeting *meeting;
    guint refolds;
} Node;

static void node_init(Node *node, const MeshHash *id) {
    *node = (Node){.journal = journal_create(), .meeting = g_new(Meeting, 1)};
    meeting_init(node->meeting);
    node->meeting->id = *id;
    for (guint i = 0; i < EPOCHS; i++) {
        g_assert_true(meeting_add_key(node->meeting, history_keys[i]));
        g_assert_false(meeting_add_key(node->meeting, history_keys[i]));
    }
}

static void node_finish(Node *node) {
    journal_destroy(node->journal);
    meeting_finish(node->meeting);
    g_free(node->meeting);
}

static bool allow(void *context, const Entry *entry) {
    return meeting_allows(context, entry);
}

static void node_apply(Node *node) {
    uint64_t refused = 0;
    bool refold = false;
    const Record *record;
    bool forked;

    while ((record = journal_apply_next(node->journal, allow, node->meeting, &forked, &refused))) {
        const uint8_t *tag = journal_chain(node->journal, record->chain)->tag;
        MeetingChange change;
        Entry entry;

        g_assert_cmpint(entry_read(record->bytes, record->length, &entry), ==, MESH_OK);
        change = meeting_fold(node->meeting, &entry, record->height, tag,
                              journal_is_cut(node->journal, record));
        refold = refold || forked || change.refold;
    }
    if (refold) {
        node->refolds++;
        g_assert_true(meeting_refold(node->meeting, node->journal));
    }
}

static void node_take(Node *node, const Written *written) {
    g_assert_cmpint(journal_hold(node->journal, written->bytes, written->length), ==, MESH_OK);
    node_apply(node);
}

/* ---- what it all says, as text ---- */

static gint compare_text(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *sorted(GPtrArray *lines) {
    char *text;

    g_ptr_array_sort(lines, compare_text);
    g_ptr_array_add(lines, NULL);
    text = g_strjoinv("\n", (char **)lines->pdata);
    g_ptr_array_unref(lines);
    return text;
}

static char *hex(const uint8_t *bytes) {
    static char texts[4][17];
    static guint next;
    char *text = texts[next++ % 4];

    return sodium_bin2hex(text, 17, bytes, 8);
}

static char *node_state(const Node *node) {
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    const Meeting *meeting = node->meeting;
    const Roster *roster = &meeting->roster;
    GString *ordered = g_string_new(NULL);
    uint8_t digest[JOURNAL_DIGEST_SIZE];
    g_autofree char *rest = NULL;

    journal_clock_digest(node->journal, digest);
    g_string_append_printf(ordered, "%s %s waits %zu epoch %u %s\n", hex(digest), meeting->title,
                           journal_waiting(node->journal), roster->epoch, hex(roster->current_key));
    for (size_t i = 0; i < meeting->message_count; i++) {
        const Message *message = &meeting->messages[i];
        VoiceState voice = voices_state(&meeting->voices, &message->id, &message->author);

        g_assert_cmpint(voice.parts > 0, ==, message->voice);
        g_string_append_printf(ordered, "message %s %u %u %d\n", hex(message->id.bytes),
                               voice.parts, voice.duration_ms, voice.whole);
        for (uint32_t part = 0; part < voice.parts; part++) {
            g_string_append_printf(
                ordered, "part %s\n",
                hex(voices_part(&meeting->voices, &message->id, part)->place.hash.bytes));
        }
    }
    for (const Hand *hand = NULL; (hand = hands_next(&meeting->hands, hand));) {
        g_string_append_printf(ordered, "hand %s\n", hex(hand->member.bytes));
    }
    for (size_t i = 0; i < roster->member_count; i++) {
        const Member *member = &roster->members[i];

        g_ptr_array_add(lines,
                        g_strdup_printf("member %s role %d %d%d ticket %d name %s",
                                        hex(member->key.bytes), (int)member->role, member->expelled,
                                        member->forked, member->ticket[0], roster_name(member)));
    }
    for (size_t i = 0; i < roster->invite_count; i++) {
        const Invite *invite = &roster->invites[i];

        g_ptr_array_add(lines,
                        g_strdup_printf("invite %d by %s role %d used %u %d psk %d", invite->id[0],
                                        hex(invite->author.bytes), (int)invite->role, invite->used,
                                        invite->revoked, invite->has_psk ? invite->psk[0] : -1));
    }
    for (size_t i = 0; i < meeting->document_count; i++) {
        g_ptr_array_add(lines, g_strdup_printf("document %s", hex(meeting->documents[i].id.bytes)));
    }
    for (size_t i = 0; i < meeting->motions.motion_count; i++) {
        const Motion *motion = &meeting->motions.motions[i];
        MotionResult result;

        motions_result(&meeting->motions, motion, &result);
        g_ptr_array_add(lines,
                        g_strdup_printf("motion %s state %d %u %u %u %s", hex(motion->id.bytes),
                                        (int)result.state, result.tally[0], result.tally[1],
                                        result.tally[2], result.outcome));
    }
    rest = sorted(lines);
    g_string_append(ordered, rest);
    return g_string_free(ordered, FALSE);
}

/* ---- tests ---- */

static void deliver_shuffled(History *history, Node *node) {
    guint order[ENTRIES];

    for (guint i = 0; i < ENTRIES; i++) {
        guint other = history_below(history, i + 1);

        order[i] = order[other];
        order[other] = i;
    }
    for (guint i = 0; i < ENTRIES; i++) {
        node_take(node, &history->entries[order[i]]);
    }
}

static void test_same_everywhere(void) {
    guint members = 0, messages = 0, parts = 0, longer = 0, refolds = 0;

    for (guint32 seed = 0; seed < SEEDS; seed++) {
        History *history = history_new(seed);
        g_autofree char *expected = NULL;

        for (guint n = 0; n < NODES; n++) {
            g_autofree char *state = NULL;
            g_autofree char *again = NULL;
            Node node;

            node_init(&node, &history->entries[0].hash);
            if (n == 0) {
                for (guint i = 0; i < ENTRIES; i++) {
                    node_take(&node, &history->entries[i]);
                }
            } else {
                deliver_shuffled(history, &node);
            }
            state = node_state(&node);
            g_assert_true(meeting_refold(node.meeting, node.journal));
            again = node_state(&node);
            if (n == 0) {
                expected = g_strdup(again);
            }
            if (strcmp(state, expected) != 0 || strcmp(again, expected) != 0) {
                g_test_message("seed %u, node %u", seed, n);
            }
            g_assert_cmpstr(again, ==, expected);
            g_assert_cmpstr(state, ==, expected);
            members += (guint)node.meeting->roster.member_count;
            messages += (guint)node.meeting->message_count;
            parts += (guint)node.meeting->voices.count;
            for (size_t i = 0; i < node.meeting->message_count; i++) {
                const Message *message = &node.meeting->messages[i];

                longer +=
                    voices_state(&node.meeting->voices, &message->id, &message->author).parts > 1;
            }
            refolds += node.refolds;
            node_finish(&node);
        }
        history_free(history);
    }
    /* The histories are worth the name. */
    g_test_message("members %u, messages %u, parts %u, of several parts %u, refolds %u", members,
                   messages, parts, longer, refolds);
    g_assert_cmpuint(members, >, SEEDS * NODES * 2);
    g_assert_cmpuint(messages, >, SEEDS * NODES);
    g_assert_cmpuint(parts, >, SEEDS * NODES);
    g_assert_cmpuint(longer, >, NODES);
    g_assert_cmpuint(refolds, >, SEEDS);
}

/* An expulsion takes back what the expelled wrote beyond the cut, and only that. */
static void test_expelled(void) {
    History *history = history_new(1);
    PublicAct invite = {.kind = ACT_INVITE}, admit = {.kind = ACT_ADMIT},
              expel = {.kind = ACT_EXPEL};
    static SealedAct say;
    const MeshHash *meeting = &history->entries[0].hash;
    Writer founder, guest;
    Written written[6];
    Node node;

    node_init(&node, meeting);
    writer_init(&founder, 0);
    writer_init(&guest, 1);
    founder.sequence = 1;
    founder.previous = *meeting;
    memcpy(invite.invite.public_key, history->tickets[0].key.bytes, 32);
    invite.invite.role = MESH_ROLE_GUEST;
    admit.admit.key = guest.self.key;
    domain_sign(&history->tickets[0], "ticket proof", NULL, BYTES_OF(guest.self.key.bytes),
                admit.admit.proof);
    say.kind = ACT_MESSAGE;
    say.text = BYTES_AT("hello", 5);
    writer_act(&founder, meeting, NULL, 0, &invite, NULL, NULL, &written[0]);
    writer_act(&founder, meeting, NULL, 0, &admit, NULL, NULL, &written[1]);
    for (guint i = 2; i < 5; i++) {
        writer_act(&guest, meeting, &written[1].hash, 1, NULL, &say, &history->keys[0],
                   &written[i]);
    }
    expel.expel.has_key = true;
    expel.expel.key = guest.self.key;
    expel.expel.cut_count = 1;
    journal_chain_tag(&guest.self.key, guest.chain, expel.expel.cuts[0].tag);
    expel.expel.cuts[0].count = 1;
    writer_act(&founder, meeting, NULL, 0, &expel, NULL, NULL, &written[5]);
    node_take(&node, &history->entries[0]);
    for (guint i = 0; i < 5; i++) {
        node_take(&node, &written[i]);
    }
    g_assert_cmpuint(node.meeting->message_count, ==, 3);
    g_assert_cmpuint(roster_size(&node.meeting->roster), ==, 2);
    g_assert_cmpuint(node.refolds, ==, 0);
    node_take(&node, &written[5]);
    g_assert_cmpuint(node.meeting->message_count, ==, 1);
    g_assert_cmpuint(roster_size(&node.meeting->roster), ==, 1);
    g_assert_cmpuint(node.refolds, ==, 1);
    node_finish(&node);
    history_free(history);
}

/* Strangers, other meetings' beginnings and unreadable acts of strangers are not even applied. */
static void test_allows(void) {
    History *history = history_new(2);
    PublicAct genesis = {.kind = ACT_GENESIS, .genesis.profile = BYTES_AT("meeting", 7)};
    Writer stranger;
    Written written;
    Entry entry;
    Node node;

    node_init(&node, &history->entries[0].hash);
    writer_init(&stranger, 99);
    writer_act(&stranger, NULL, NULL, 0, &genesis, NULL, NULL, &written);
    entry_read(written.bytes, written.length, &entry);
    g_assert_false(meeting_allows(node.meeting, &entry));
    writer_write(&stranger, &history->entries[0].hash, NULL, 0, BYTES_AT("garbage", 7), BYTES_NONE,
                 NULL, &written);
    entry_read(written.bytes, written.length, &entry);
    g_assert_false(meeting_allows(node.meeting, &entry));
    node_take(&node, &history->entries[0]);
    g_assert_false(meeting_allows(node.meeting, &entry));
    g_assert_cmpuint(journal_count(node.journal), ==, 1);
    g_assert_cmpstr(node.meeting->title, ==, "Title");
    g_assert_cmpstr(node.meeting->profile, ==, "meeting");
    node_finish(&node);
    history_free(history);
}

/* A key that comes late opens what was sealed under it. */
static void test_late_key(void) {
    History *history = history_new(3);
    Meeting *meeting = g_new(Meeting, 1);
    Node node = {.journal = journal_create(), .meeting = meeting};

    meeting_init(meeting);
    meeting->id = history->entries[0].hash;
    node_take(&node, &history->entries[0]);
    g_assert_null(meeting->title);
    g_assert_null(meeting_current_key(meeting));
    g_assert_true(meeting_add_key(meeting, history_keys[0]));
    g_assert_true(meeting_refold(meeting, node.journal));
    g_assert_cmpstr(meeting->title, ==, "Title");
    g_assert_nonnull(meeting_current_key(meeting));
    node_finish(&node);
    history_free(history);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/meeting/same-everywhere", test_same_everywhere);
    g_test_add_func("/mesh/meeting/expelled", test_expelled);
    g_test_add_func("/mesh/meeting/allows", test_allows);
    g_test_add_func("/mesh/meeting/late-key", test_late_key);
    return g_test_run();
}
