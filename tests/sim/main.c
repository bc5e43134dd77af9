/* SPDX-License-Identifier: MPL-2.0 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/scenario.h"

typedef struct {
    char *scenario; /* NULL: all */
    gint64 seed;    /* of the first world */
    gint seeds;
    gint nodes, minutes; /* 0: as the scenario likes */
    gboolean traced, noted, once, listed;
} Options;

/* What one world came to. */
typedef struct {
    char *hash;
    char *failure; /* NULL: none */
    uint64_t steps;
    uint64_t lasted_us;
} Outcome;

static Outcome run(const Scenario *scenario, const Options *options, uint64_t seed,
                   TraceShown shown) {
    WorldOptions wanted = {.seed = seed, .shown = shown};
    World *world;
    Outcome outcome;

    wanted.nodes = options->nodes ? (unsigned)options->nodes : scenario->nodes;
    wanted.minutes = options->minutes ? (unsigned)options->minutes : scenario->minutes;
    world = world_create(&wanted);
    world_tell(world, scenario->tell);
    outcome.hash = trace_hash(world->trace);
    outcome.failure = g_strdup(world->failure);
    outcome.steps = world->steps;
    outcome.lasted_us = world_now_us(world);
    world_destroy(world);
    return outcome;
}

static void outcome_finish(Outcome *outcome) {
    g_free(outcome->hash);
    g_free(outcome->failure);
}

/* How this one world is seen again: said before it begins, lest a crash leaves it unsaid. */
static void print_replay(const Scenario *scenario, const Options *options, uint64_t seed) {
    printf("# tests/sim/sim --scenario %s --seed %" G_GUINT64_FORMAT, scenario->name, seed);
    if (options->nodes)
        printf(" --nodes %d", options->nodes);
    if (options->minutes)
        printf(" --minutes %d", options->minutes);
    puts(" --trace");
}

static unsigned report(unsigned number, const Scenario *scenario, const Options *options,
                       uint64_t seed, const Outcome *outcome) {
    printf("%s %u - %s, seed %" G_GUINT64_FORMAT ": %s\n", outcome->failure ? "not ok" : "ok",
           number, scenario->name, seed, scenario->about);
    printf("# %" G_GUINT64_FORMAT " s, %" G_GUINT64_FORMAT " steps, trace %s\n",
           outcome->lasted_us / SECOND_US, outcome->steps, outcome->hash);
    if (outcome->failure) {
        printf("# %s; seen again by\n", outcome->failure);
        print_replay(scenario, options, seed);
    }
    return outcome->failure != NULL;
}

/* All worlds of one scenario, and the first of them twice; how many failed. */
static unsigned run_scenario(const Scenario *scenario, const Options *options, unsigned *number) {
    TraceShown shown = options->traced ? TRACE_SHOWN : options->noted ? TRACE_NOTES : TRACE_HIDDEN;
    unsigned failed = 0;

    for (gint i = 0; i < options->seeds; i++) {
        uint64_t seed = (uint64_t)options->seed + (uint64_t)i;
        Outcome outcome, again;

        print_replay(scenario, options, seed);
        fflush(stdout);
        outcome = run(scenario, options, seed, shown);
        failed += report(++*number, scenario, options, seed, &outcome);
        if (i == 0 && shown == TRACE_HIDDEN && !options->once) {
            bool same;

            again = run(scenario, options, seed, TRACE_HIDDEN);
            same = strcmp(outcome.hash, again.hash) == 0;
            failed += !same;
            printf("%s %u - %s, seed %" G_GUINT64_FORMAT ": the same trace twice\n",
                   same ? "ok" : "not ok", ++*number, scenario->name, seed);
            outcome_finish(&again);
        }
        outcome_finish(&outcome);
    }
    return failed;
}

static gboolean read_options(Options *options, int argc, char **argv, GError **error) {
    GOptionEntry entries[] = {
        {"scenario", 0, 0, G_OPTION_ARG_STRING, &options->scenario, "this one alone", "NAME"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &options->seed, "of the first world", "N"},
        {"seeds", 0, 0, G_OPTION_ARG_INT, &options->seeds, "that many worlds", "N"},
        {"nodes", 0, 0, G_OPTION_ARG_INT, &options->nodes, "where the scenario lets you", "N"},
        {"minutes", 0, 0, G_OPTION_ARG_INT, &options->minutes, "the same", "N"},
        {"trace", 0, 0, G_OPTION_ARG_NONE, &options->traced, "print all that happens", NULL},
        {"notes", 0, 0, G_OPTION_ARG_NONE, &options->noted, "print what is noted of it", NULL},
        {"once", 0, 0, G_OPTION_ARG_NONE, &options->once, "not the first one twice", NULL},
        {"list", 0, 0, G_OPTION_ARG_NONE, &options->listed, "print the scenarios", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    GOptionContext *context = g_option_context_new("- many cores in one virtual world");
    gboolean read;

    g_option_context_add_main_entries(context, entries, NULL);
    read = g_option_context_parse(context, &argc, &argv, error);
    g_option_context_free(context);
    if (read && (options->nodes < 0 || options->nodes > NETWORK_HOSTS || options->nodes == 1)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "2 to %d nodes",
                    NETWORK_HOSTS);
        return FALSE;
    }
    if (read && options->scenario && !scenario_find(options->scenario)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "no scenario %s, see --list",
                    options->scenario);
        return FALSE;
    }
    return read;
}

int main(int argc, char **argv) {
    Options options = {.seed = 1, .seeds = 1};
    GError *error = NULL;
    unsigned number = 0, failed = 0;

    if (sodium_init() < 0)
        return 2;
    if (!read_options(&options, argc, argv, &error)) {
        fprintf(stderr, "%s\n", error->message);
        g_error_free(error);
        g_free(options.scenario);
        return 2;
    }
    for (size_t i = 0; scenario_at(i); i++) {
        const Scenario *scenario = scenario_at(i);

        if (options.scenario && strcmp(options.scenario, scenario->name) != 0)
            continue;
        if (options.listed)
            printf("%-10s %s\n", scenario->name, scenario->about);
        else
            failed += run_scenario(scenario, &options, &number);
    }
    if (!options.listed)
        printf("1..%u\n", number);
    g_free(options.scenario);
    return failed ? 1 : 0;
}
