/* SPDX-License-Identifier: MPL-2.0 */
/* Deterministic CBOR: the examples of RFC 8949, and every form that is not the one form. */
#include <glib.h>
#include <string.h>

#include "mesh/coder.h"

typedef struct {
    uint64_t value;
    uint8_t bytes[9];
    size_t length;
} Number;

/* RFC 8949, appendix A. */
static const Number NUMBERS[] = {
    {0, {0x00}, 1},
    {1, {0x01}, 1},
    {10, {0x0a}, 1},
    {23, {0x17}, 1},
    {24, {0x18, 0x18}, 2},
    {25, {0x18, 0x19}, 2},
    {100, {0x18, 0x64}, 2},
    {255, {0x18, 0xff}, 2},
    {256, {0x19, 0x01, 0x00}, 3},
    {1000, {0x19, 0x03, 0xe8}, 3},
    {65535, {0x19, 0xff, 0xff}, 3},
    {65536, {0x1a, 0x00, 0x01, 0x00, 0x00}, 5},
    {1000000, {0x1a, 0x00, 0x0f, 0x42, 0x40}, 5},
    {UINT32_MAX, {0x1a, 0xff, 0xff, 0xff, 0xff}, 5},
    {1000000000000, {0x1b, 0x00, 0x00, 0x00, 0xe8, 0xd4, 0xa5, 0x10, 0x00}, 9},
    {UINT64_MAX, {0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 9},
};

static void test_numbers(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(NUMBERS); i++) {
        uint8_t bytes[16];
        BytesWriter writer = bytes_writer(bytes, sizeof bytes);
        BytesReader reader = bytes_reader(NUMBERS[i].bytes, NUMBERS[i].length);

        coder_write_uint(&writer, NUMBERS[i].value);
        g_assert_false(writer.failed);
        g_assert_cmpmem(bytes, (int)bytes_written(&writer), NUMBERS[i].bytes,
                        (int)NUMBERS[i].length);
        g_assert_cmpuint(coder_read_uint(&reader), ==, NUMBERS[i].value);
        g_assert_true(bytes_done(&reader));
        for (size_t length = 0; length < NUMBERS[i].length; length++) {
            reader = bytes_reader(NUMBERS[i].bytes, length);
            g_assert_cmpuint(coder_read_uint(&reader), ==, 0);
            g_assert_true(reader.failed);
        }
    }
}

static void test_strings(void) {
    for (size_t size = 0; size < 70000; size += size < 300 ? 1 : 32768 - 300) {
        g_autofree char *text = g_strnfill(size, 'a');
        g_autofree uint8_t *bytes = g_malloc(size + 9);
        BytesWriter writer = bytes_writer(bytes, size + 9);
        size_t head = size < 24 ? 1 : size < 256 ? 2 : size < 65536 ? 3 : 5;
        BytesReader reader;
        Bytes read;

        coder_write_text(&writer, text, size);
        g_assert_cmpuint(bytes_written(&writer), ==, head + size);
        reader = bytes_reader(bytes, head + size);
        read = coder_read_text(&reader);
        g_assert_cmpmem(read.data, (int)read.length, text, (int)size);
        g_assert_true(bytes_done(&reader));
        writer = bytes_writer(bytes, size + 9);
        coder_write_bytes(&writer, text, size);
        g_assert_cmpint(bytes[0] >> 5, ==, 2);
        reader = bytes_reader(bytes, head + size);
        read = coder_read_bytes(&reader);
        g_assert_cmpmem(read.data, (int)read.length, text, (int)size);
        g_assert_true(bytes_done(&reader));
        if (size > 0) {
            reader = bytes_reader(bytes, head + size - 1);
            g_assert_null(coder_read_bytes(&reader).data);
            g_assert_true(reader.failed);
        }
    }
}

static void test_fixed(void) {
    static const uint8_t BYTES[] = {0x43, 1, 2, 3};
    uint8_t read[4];

    for (size_t length = 0; length <= 4; length++) {
        BytesReader reader = bytes_reader(BYTES, sizeof BYTES);

        memset(read, 0xff, sizeof read);
        coder_read_fixed(&reader, read, length);
        g_assert_true(reader.failed == (length != 3));
        g_assert_cmpint(length > 0 ? read[0] : 1, ==, reader.failed && length > 0 ? 0 : 1);
    }
}

/* Each read as each type. */
static gboolean is_read(const uint8_t *bytes, size_t length, guint type) {
    BytesReader reader = bytes_reader(bytes, length);

    switch (type) {
    case 0:
        coder_read_uint(&reader);
        break;
    case 1:
        coder_read_bytes(&reader);
        break;
    case 2:
        coder_read_text(&reader);
        break;
    default:
        coder_read_array(&reader);
        break;
    }
    return !reader.failed;
}

static void test_refused(void) {
    static const struct {
        uint8_t bytes[10];
        size_t length;
    } FORMS[] = {
        {{0x18, 0x17}, 2},                                                  /* longer than needed */
        {{0x19, 0x00, 0xff}, 3},                                            /* the same */
        {{0x1a, 0x00, 0x00, 0xff, 0xff}, 5},                                /* the same */
        {{0x1b, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff}, 9},        /* the same */
        {{0x58, 0x01, 0x00}, 3},                                            /* a longer length */
        {{0x59, 0x00, 0x01, 0x00}, 4},                                      /* the same */
        {{0x78, 0x01, 'a'}, 3},                                             /* the same */
        {{0x98, 0x01, 0x00}, 3},                                            /* the same */
        {{0x20}, 1},                                                        /* -1 */
        {{0x38, 0x63}, 2},                                                  /* -100 */
        {{0x5f, 0x41, 0x00, 0xff}, 4},                                      /* indefinite */
        {{0x7f, 0x61, 'a', 0xff}, 4},                                       /* the same */
        {{0x9f, 0x00, 0xff}, 3},                                            /* the same */
        {{0xa0}, 1},                                                        /* a map */
        {{0xbf, 0xff}, 2},                                                  /* the same */
        {{0xc0, 0x00}, 2},                                                  /* a tag */
        {{0xd8, 0x20, 0x61, 'a'}, 4},                                       /* the same */
        {{0xf4}, 1},                                                        /* false */
        {{0xf6}, 1},                                                        /* null */
        {{0xf9, 0x00, 0x00}, 3},                                            /* a float */
        {{0xfa, 0x00, 0x00, 0x00, 0x00}, 5},                                /* the same */
        {{0xff}, 1},                                                        /* a break */
        {{0x1c}, 1},                                                        /* reserved */
        {{0x1f}, 1},                                                        /* the same */
        {{0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00}, 10}, /* endless */
        {{0x7b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'a'}, 10},  /* the same */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(FORMS); i++) {
        for (guint type = 0; type < 4; type++) {
            g_assert_false(is_read(FORMS[i].bytes, FORMS[i].length, type));
        }
    }
}

/* Of all first bytes, each is of one type or of none. */
static void test_types(void) {
    for (guint first = 0; first < 256; first++) {
        uint8_t bytes[300] = {(uint8_t)first, 200, 200};
        guint types = 0;

        memset(bytes + 3, 'a', sizeof bytes - 3);
        for (guint type = 0; type < 4; type++) {
            types += is_read(bytes, sizeof bytes, type) ? 1u << type : 0;
        }
        g_assert_true(types == 0 || (types & (types - 1)) == 0);
        g_assert_true(types == 0 || first >> 5 == 0 || (first >> 5 >= 2 && first >> 5 <= 4));
    }
}

static void test_room(void) {
    uint8_t bytes[4];
    BytesWriter writer = bytes_writer(bytes, sizeof bytes);

    coder_write_text(&writer, "abc", 3);
    g_assert_false(writer.failed);
    coder_write_uint(&writer, 0);
    g_assert_true(writer.failed);
    writer = bytes_writer(bytes, sizeof bytes);
    coder_write_bytes(&writer, "abcd", 4);
    g_assert_true(writer.failed);
}

static void test_text(void) {
    static const char *const GOOD[] = {"",
                                       "a",
                                       "é",
                                       "€",
                                       "😀",
                                       "tab\t line\n",
                                       "\xc2\xa0",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const BAD[] = {
        "\x01",
        "\x1b[31m",
        "\r",
        "\x7f",
        "\xc2\x80",
        "\xc2\x9f", /* control */
        "\x80",
        "\xbf",
        "\xc2",
        "\xe2\x82",
        "\xf0\x9f\x98",
        "a\xc2", /* cut */
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",
        "\xed\xbf\xbf", /* surrogates */
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
        "\xc2"
        "a",
        "\xe2\x82"
        "a",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(GOOD); i++) {
        g_assert_true(coder_text_is_valid(GOOD[i], strlen(GOOD[i])));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(BAD); i++) {
        g_assert_false(coder_text_is_valid(BAD[i], strlen(BAD[i])));
    }
    g_assert_false(coder_text_is_valid("\0", 1));
}

/* Every sequence of up to three bytes, against GLib's own judge of UTF-8. */
static void test_text_exhaustive(void) {
    for (guint32 value = 0; value < 1u << 24; value += value < 1u << 16 ? 1 : 7) {
        char text[3] = {(char)(value >> 16), (char)(value >> 8), (char)value};
        size_t length = value < 1u << 8 ? 1 : value < 1u << 16 ? 2 : 3;
        const char *at = text + 3 - length;
        gboolean expected = g_utf8_validate_len(at, length, NULL);

        for (const char *c = at; expected && c < text + 3; c = g_utf8_next_char(c)) {
            gunichar point = g_utf8_get_char(c);

            expected = point == '\t' || point == '\n' ||
                       (point >= 0x20 && point != 0x7f && (point < 0x80 || point >= 0xa0));
        }
        g_assert_true(coder_text_is_valid(at, length) == expected);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/coder/numbers", test_numbers);
    g_test_add_func("/mesh/coder/strings", test_strings);
    g_test_add_func("/mesh/coder/fixed", test_fixed);
    g_test_add_func("/mesh/coder/refused", test_refused);
    g_test_add_func("/mesh/coder/types", test_types);
    g_test_add_func("/mesh/coder/room", test_room);
    g_test_add_func("/mesh/coder/text", test_text);
    g_test_add_func("/mesh/coder/text-exhaustive", test_text_exhaustive);
    return g_test_run();
}
