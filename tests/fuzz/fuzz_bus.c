/* SPDX-License-Identifier: MPL-2.0 */
/* What is asked of a node: any bytes on its bus, or any words typed. Whatever they are, they are
 * refused with a sentence, or are a command of the table, which is understood again when written
 * once more. */
#include "node/bus/json.h"
#include "node/bus/request.h"
#include "node/cli/words.h"
#include "tests/fuzz/fuzz.h"

enum { REQUEST, WORDS, ANSWER, MODES };

#define WORDS_COUNT 12

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    return 0;
}

static void check_refusal(const GError *error) {
    FUZZ_CHECK(error != NULL && error->domain == COMMAND_ERROR);
    FUZZ_CHECK(error->message[0] != '\0');
}

static JsonNode *request_of(const Command *command, JsonObject *arguments) {
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "command", command->words);
    json_builder_set_member_name(builder, "arguments");
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, arguments);
    json_builder_add_value(builder, node);
    json_builder_end_object(builder);
    return json_built(builder);
}

/* What was understood is understood again, and the same. */
static void check_again(const Command *command, JsonObject *arguments) {
    g_autoptr(JsonNode) request = request_of(command, arguments);
    g_autofree char *text = json_write(request);
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    g_autoptr(JsonObject) again = NULL;
    g_autoptr(GError) error = NULL;
    Language language = LANGUAGE_ENGLISH;
    FUZZ_CHECK(request_read(body, &again, &language, &error) == command && error == NULL);
    g_autoptr(JsonNode) second = request_of(command, again);
    g_autofree char *second_text = json_write(second);
    FUZZ_CHECK(strcmp(text, second_text) == 0);
}

static void read_request(const uint8_t *data, size_t size) {
    g_autoptr(GBytes) body = g_bytes_new(data, size);
    g_autoptr(JsonObject) arguments = NULL;
    g_autoptr(GError) error = NULL;
    Language language = LANGUAGE_ENGLISH;
    const Command *command = request_read(body, &arguments, &language, &error);
    if (command == NULL) {
        FUZZ_CHECK(arguments == NULL);
        check_refusal(error);
        return;
    }
    FUZZ_CHECK(error == NULL && command->handler != NULL);
    check_again(command, arguments);
}

/* Lines are the words. */
static void read_words(const uint8_t *data, size_t size) {
    g_autofree char *text = (char *)fuzz_copy(data, size);
    g_auto(GStrv) argv = g_strsplit(text, "\n", WORDS_COUNT);
    g_autoptr(GError) error = NULL;
    g_autoptr(Words) words = words_read((int)g_strv_length(argv), argv, &error);
    if (words == NULL) {
        check_refusal(error);
        return;
    }
    FUZZ_CHECK(error == NULL);
    if (words->wish == WORDS_COMMAND && words->command->handler != NULL) {
        check_again(words->command, words->arguments);
    }
}

/* What the other end reads: the same again, when written. */
static void read_answer(const uint8_t *data, size_t size) {
    g_autofree char *copy = (char *)fuzz_copy(data, size);
    g_autoptr(JsonNode) node = json_read_answer(copy, size);
    if (node != NULL) {
        g_autofree char *text = json_write(node);
        g_autoptr(JsonNode) again = json_read_answer(text, strlen(text));
        FUZZ_CHECK(again != NULL);
        g_autofree char *second = json_write(again);
        FUZZ_CHECK(strcmp(text, second) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    switch (data[0] % MODES) {
    case WORDS:
        read_words(data + 1, size - 1);
        break;
    case ANSWER:
        read_answer(data + 1, size - 1);
        break;
    default:
        read_request(data + 1, size - 1);
        break;
    }
    return 0;
}
