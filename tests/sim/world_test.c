/* SPDX-License-Identifier: MPL-2.0 */
/* A story that fails ends there, with words: what it would have looked at is not there. */
#include "tests/sim/node.h"
#include "tests/sim/person.h"
#include "tests/sim/world.h"

static bool went_on;

static World *make(void) {
    WorldOptions options = {.seed = 1};

    went_on = false;
    return world_create(&options);
}

static void expect_failed(World *world, const char *words) {
    g_assert_nonnull(world->failure);
    g_assert_nonnull(strstr(world->failure, words));
    g_assert_false(went_on);
    g_assert_cmpuint(world->acts, ==, 0);
    world_destroy(world);
}

/* Who is invited reaches nobody. */
static void gather_in_vain(World *world) {
    LineSettings dead = {.lane = {.loss = 1}};
    const char *ticket;

    network_set_lines(world->network, &dead);
    person_create(world_add(world, network_site(world->network, NAT_NONE)), "En vain");
    ticket = person_invite(world->nodes[0], MESH_ROLE_MEMBER, 1);
    person_join(world_add(world, network_site(world->network, NAT_NONE)), ticket, MINUTE_US);
    went_on = true;
}

static void test_gather(void) {
    World *world = make();

    world_tell(world, gather_in_vain);
    expect_failed(world, "did not answer intent");
}

/* Nobody was ever added but one. */
static void look_at_nobody(World *world) {
    person_create(world_add(world, network_site(world->network, NAT_NONE)), "Seul");
    person_say(world->nodes[0], "seul");
    world_expect(world, world->nodes[1] != NULL, "nobody came");
    person_say(world->nodes[1], "moi aussi");
    went_on = true;
}

static void test_nobody(void) {
    World *world = make();

    world_tell(world, look_at_nobody);
    expect_failed(world, "nobody came");
}

/* In the middle of what a core does: that is done to its end. */
static void object(Node *node) {
    world_expect(node->world, node->life > 1, "%s does something", node->name);
}

static void fail_inside(World *world) {
    Node *node = world_add(world, network_site(world->network, NAT_NONE));

    node->meddle = object;
    world_run(world, MINUTE_US, NULL, NULL);
    person_create(node, "Trop tard");
    went_on = true;
}

static void test_inside(void) {
    World *world = make();

    world_tell(world, fail_inside);
    expect_failed(world, "does something");
}

/* And one that goes well is told to its end. */
static void go_well(World *world) {
    person_create(world_add(world, network_site(world->network, NAT_NONE)), "Bien");
    world_run(world, SECOND_US, NULL, NULL);
    went_on = true;
}

static void test_well(void) {
    World *world = make();

    world_tell(world, go_well);
    g_assert_null(world->failure);
    g_assert_true(went_on);
    g_assert_null(world->end);
    world_destroy(world);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sim/world/gather", test_gather);
    g_test_add_func("/sim/world/nobody", test_nobody);
    g_test_add_func("/sim/world/inside", test_inside);
    g_test_add_func("/sim/world/well", test_well);
    return g_test_run();
}
