/* SPDX-License-Identifier: MPL-2.0 */
/* Tickets and codes there and back, as people really type them, and every way of mistyping one. */
#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "mesh/ticket.h"

static MeshPath address(uint8_t family, uint8_t number) {
    MeshPath path = {.kind = MESH_PATH_KNOCK, .family = family, .port = (uint16_t)(50000 + number)};

    memset(path.ip, number, family == 4 ? 4 : 16);
    return path;
}

/* `families`: one digit an address. */
static Ticket sample(const char *families) {
    Ticket ticket;

    memset(&ticket, 0, sizeof ticket);
    ticket.address_count = strlen(families);
    for (uint8_t i = 0; i < MESH_KEY_SIZE; i++) {
        ticket.inviter.bytes[i] = (uint8_t)(i * 7 + 1);
    }
    memcpy(ticket.secret, "sixteen secrets!", TICKET_SECRET_SIZE);
    for (size_t i = 0; i < ticket.address_count; i++) {
        ticket.addresses[i] = address((uint8_t)(families[i] - '0'), (uint8_t)(i + 1));
    }
    return ticket;
}

/* "maillon:" and the base32 of these bytes and their checksum. */
static char *text_of(GByteArray *bytes) {
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    GString *text = g_string_new("maillon:");
    uint8_t checksum[4];
    guint bits = 0, count = 0;

    domain_hash(checksum, sizeof checksum, "ticket", BYTES_AT(bytes->data, bytes->len), BYTES_NONE);
    g_byte_array_append(bytes, checksum, sizeof checksum);
    for (guint i = 0; i < bytes->len; i++) {
        bits = bits << 8 | bytes->data[i];
        for (count += 8; count >= 5; count -= 5) {
            g_string_append_c(text, alphabet[bits >> (count - 5) & 31]);
        }
    }
    if (count > 0) {
        g_string_append_c(text, alphabet[bits << (5 - count) & 31]);
    }
    g_byte_array_unref(bytes);
    return g_string_free(text, FALSE);
}

/* The bytes of a ticket without addresses, and of this version. */
static GByteArray *bytes_of(uint8_t version) {
    GByteArray *bytes = g_byte_array_new();
    Ticket ticket = sample("");

    g_byte_array_append(bytes, &version, 1);
    g_byte_array_append(bytes, ticket.inviter.bytes, MESH_KEY_SIZE);
    g_byte_array_append(bytes, ticket.secret, TICKET_SECRET_SIZE);
    return bytes;
}

static void assert_ticket(const char *text, const Ticket *expected) {
    Ticket read;

    g_assert_cmpint(ticket_read(text, &read), ==, MESH_OK);
    g_assert_true(mesh_key_equal(&read.inviter, &expected->inviter));
    g_assert_cmpmem(read.secret, sizeof read.secret, expected->secret, sizeof read.secret);
    g_assert_cmpuint(read.address_count, ==, expected->address_count);
    for (size_t i = 0; i < read.address_count; i++) {
        g_assert_true(mesh_path_equal(&read.addresses[i], &expected->addresses[i]));
    }
}

static void test_round_trip(void) {
    static const char *const FAMILIES[] = {"",    "4",  "6",    "44",    "446",
                                           "644", "66", "4446", "444444"};

    for (gsize i = 0; i < G_N_ELEMENTS(FAMILIES); i++) {
        Ticket ticket = sample(FAMILIES[i]);
        char text[MESH_TICKET_MAX + 1];

        ticket_write(&ticket, text);
        g_assert_cmpuint(strlen(text), <=, MESH_TICKET_MAX);
        g_assert_true(g_str_has_prefix(text, "maillon:"));
        assert_ticket(text, &ticket);
    }
}

/* The layout, by another hand. */
static void test_layout(void) {
    Ticket ticket = sample("");
    char text[MESH_TICKET_MAX + 1];
    g_autofree char *expected = text_of(bytes_of(1));

    ticket_write(&ticket, text);
    g_assert_cmpstr(text, ==, expected);
}

/* Those that do not fit are left out, in favour of later ones that do; so are other paths. */
static void test_too_many_addresses(void) {
    Ticket ticket = sample("6664"), expected = sample("66");
    char text[MESH_TICKET_MAX + 1];

    ticket_write(&ticket, text);
    assert_ticket(text, &expected);
    ticket = sample("4664");
    ticket.addresses[0].interface = 3;
    expected = sample("46");
    expected.addresses[expected.address_count++] = address(4, 4);
    ticket_write(&ticket, text);
    g_assert_cmpuint(strlen(text), <=, MESH_TICKET_MAX);
    assert_ticket(text, &expected);
    ticket.addresses[0].kind = MESH_PATH_ICE;
    expected = sample("66");
    expected.addresses[0] = address(6, 2);
    expected.addresses[1] = address(6, 3);
    ticket_write(&ticket, text);
    assert_ticket(text, &expected);
}

static void test_forgiving(void) {
    static const char *const BLANKS[] = {" ", "\n", "\r\n", "\t", "\xc2\xa0", "\xe2\x80\xaf", "  "};
    Ticket ticket = sample("446");
    char text[MESH_TICKET_MAX + 1];
    g_autofree char *upper = NULL;

    ticket_write(&ticket, text);
    upper = g_ascii_strup(text, -1);
    assert_ticket(upper, &ticket);
    for (gsize blank = 0; blank < G_N_ELEMENTS(BLANKS); blank++) {
        for (gsize at = 0; at <= strlen(text); at++) {
            g_autofree char *typed =
                g_strdup_printf("%.*s%s%s", (int)at, text, BLANKS[blank], text + at);

            assert_ticket(typed, &ticket);
        }
    }
}

static void assert_mistyped(const char *text) {
    Ticket read, before;

    memset(&read, 1, sizeof read);
    before = read;
    g_assert_cmpint(ticket_read(text, &read), ==, MESH_ERROR_TICKET_MISTYPED);
    g_assert_cmpmem(&read, sizeof read, &before, sizeof before);
}

/* Each other character in each place, one left out, one typed twice, two swapped, and an end that
 * was not copied. */
static void test_single_errors(void) {
    static const char *const FAMILIES[] = {"", "4", "44", "446", "444444"};

    for (gsize f = 0; f < G_N_ELEMENTS(FAMILIES); f++) {
        Ticket ticket = sample(FAMILIES[f]);
        char text[MESH_TICKET_MAX + 1];

        ticket_write(&ticket, text);
        for (gsize at = 0; text[at] != '\0'; at++) {
            const char right = text[at];
            g_autofree char *without = g_strdup_printf("%.*s%s", (int)at, text, text + at + 1);
            g_autofree char *twice = g_strdup_printf("%.*s%s", (int)at + 1, text, text + at);
            g_autofree char *cut = g_strndup(text, at);

            assert_mistyped(without);
            assert_mistyped(twice);
            assert_mistyped(cut);
            for (int other = 1; other < 256; other++) {
                if (g_ascii_tolower((char)other) == right || g_ascii_isspace((char)other)) {
                    continue;
                }
                text[at] = (char)other;
                assert_mistyped(text);
            }
            text[at] = right;
            if (text[at + 1] != '\0' && text[at + 1] != right) {
                text[at] = text[at + 1];
                text[at + 1] = right;
                assert_mistyped(text);
                text[at + 1] = text[at];
                text[at] = right;
            }
        }
    }
}

static void test_versions(void) {
    for (unsigned version = 0; version < 256; version++) {
        g_autofree char *text = text_of(bytes_of((uint8_t)version));
        GByteArray *longer = bytes_of((uint8_t)version);
        g_autofree char *longest = NULL;
        Ticket read;

        g_assert_cmpint(ticket_read(text, &read), ==,
                        version == 1 ? MESH_OK : MESH_ERROR_TICKET_VERSION);
        text[strlen(text) - 1] = text[strlen(text) - 1] == 'a' ? 'b' : 'a';
        assert_mistyped(text);
        g_byte_array_set_size(longer, 300);
        memset(longer->data + 49, 0, 300 - 49);
        longest = text_of(longer);
        g_assert_cmpint(ticket_read(longest, &read), ==,
                        version == 1 ? MESH_ERROR_TICKET_MISTYPED : MESH_ERROR_TICKET_VERSION);
    }
}

/* A right checksum over bytes that are no ticket of this version. */
static void test_malformed(void) {
    static const uint8_t ADDRESSES[][8] = {{5, 1, 2, 3, 4, 0, 0}, {4, 1, 2, 3, 4, 0}, {6, 1}, {0}};
    static const gsize LENGTHS[] = {7, 6, 2, 1};

    for (gsize i = 0; i < G_N_ELEMENTS(LENGTHS); i++) {
        GByteArray *bytes = bytes_of(1);
        g_autofree char *text = NULL;

        g_byte_array_append(bytes, ADDRESSES[i], (guint)LENGTHS[i]);
        text = text_of(bytes);
        assert_mistyped(text);
    }
    for (guint length = 0; length < 49; length++) {
        GByteArray *bytes = bytes_of(1);
        g_autofree char *text = NULL;

        g_byte_array_set_size(bytes, length);
        text = text_of(bytes);
        assert_mistyped(text);
    }
}

static void test_nonsense(void) {
    g_autofree char *endless = g_strnfill(200000, 'a');
    g_autofree char *blanks = g_strnfill(200000, ' ');
    g_autofree char *prefixed = g_strconcat("maillon:", endless, NULL);

    assert_mistyped("");
    assert_mistyped("maillon");
    assert_mistyped("maillon:");
    assert_mistyped("maillon:a");
    assert_mistyped("maillon:\xc2");
    assert_mistyped("maillon:\xe2\x80");
    assert_mistyped("maillon:aaaaaaaa");
    assert_mistyped("https://example.org/");
    assert_mistyped(endless);
    assert_mistyped(blanks);
    assert_mistyped(prefixed);
}

static void test_derived(void) {
    uint8_t secret[TICKET_SECRET_SIZE] = {1}, id[TICKET_ID_SIZE], psk[32], seed[32], other[32];

    ticket_id(secret, id);
    ticket_psk(secret, psk);
    ticket_seed(secret, seed);
    g_assert_true(memcmp(psk, seed, 32) != 0);
    g_assert_true(memcmp(psk, id, TICKET_ID_SIZE) != 0);
    g_assert_true(memcmp(seed, id, TICKET_ID_SIZE) != 0);
    secret[15] = 1;
    ticket_psk(secret, other);
    g_assert_true(memcmp(psk, other, 32) != 0);
}

static void test_codes(void) {
    uint8_t bytes[MESH_CODE_MAX], read[MESH_CODE_MAX];
    g_autofree char *text = g_malloc(MESH_CODE_MAX + 1);
    size_t length, written = 0;

    for (gsize i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 31);
    }
    for (size_t size = 0; size <= sizeof bytes; size++) {
        MeshError error = ticket_code_write("answer", BYTES_AT(bytes, size), text);

        if (error) {
            g_assert_cmpint(error, ==, MESH_ERROR_TOO_LARGE);
            continue;
        }
        written = size;
        g_assert_cmpuint(strlen(text), <=, MESH_CODE_MAX);
        g_assert_true(g_str_has_prefix(text, "maillon-answer:"));
        g_assert_cmpint(ticket_code_read("answer", text, read, size, &length), ==, MESH_OK);
        g_assert_cmpmem(read, (int)length, bytes, (int)size);
        if (size > 0) {
            g_assert_cmpint(ticket_code_read("answer", text, read, size - 1, &length), ==,
                            MESH_ERROR_TICKET_MISTYPED);
        }
    }
    g_assert_cmpuint(written, ==, 1611);
}

static void test_code_errors(void) {
    uint8_t bytes[50] = {9, 8, 7}, read[64];
    char text[MESH_CODE_MAX + 1];
    g_autofree char *typed = NULL;
    size_t length;

    g_assert_cmpint(ticket_code_write("join", BYTES_OF(bytes), text), ==, MESH_OK);
    g_assert_cmpint(ticket_code_read("answer", text, read, sizeof read, &length), ==,
                    MESH_ERROR_TICKET_MISTYPED);
    g_assert_cmpint(ticket_code_read("joi", text, read, sizeof read, &length), ==,
                    MESH_ERROR_TICKET_MISTYPED);
    for (gsize at = 0; text[at] != '\0'; at++) {
        const char right = text[at];

        text[at] = right == 'q' ? 'z' : 'q';
        g_assert_cmpint(ticket_code_read("join", text, read, sizeof read, &length), ==,
                        MESH_ERROR_TICKET_MISTYPED);
        text[at] = right;
    }
    typed = g_strdup_printf("  MAILLON-join \xc2\xa0: %s\n", strchr(text, ':') + 1);
    g_assert_cmpint(ticket_code_read("join", typed, read, sizeof read, &length), ==, MESH_OK);
    g_assert_cmpmem(read, (int)length, bytes, sizeof bytes);
    /* The same bytes under another word have another checksum. */
    typed[strlen("  MAILLON-")] = 'l';
    g_assert_cmpint(ticket_code_read("loin", typed, read, sizeof read, &length), ==,
                    MESH_ERROR_TICKET_MISTYPED);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/ticket/round-trip", test_round_trip);
    g_test_add_func("/mesh/ticket/layout", test_layout);
    g_test_add_func("/mesh/ticket/too-many-addresses", test_too_many_addresses);
    g_test_add_func("/mesh/ticket/forgiving", test_forgiving);
    g_test_add_func("/mesh/ticket/single-errors", test_single_errors);
    g_test_add_func("/mesh/ticket/versions", test_versions);
    g_test_add_func("/mesh/ticket/malformed", test_malformed);
    g_test_add_func("/mesh/ticket/nonsense", test_nonsense);
    g_test_add_func("/mesh/ticket/derived", test_derived);
    g_test_add_func("/mesh/ticket/codes", test_codes);
    g_test_add_func("/mesh/ticket/code-errors", test_code_errors);
    return g_test_run();
}
