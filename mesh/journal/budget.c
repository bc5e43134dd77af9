/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/budget.h"

#include <stdlib.h>

#include "mesh/memory.h"

#define HUSKS_DIVISOR 8 /* so much of all is for husks: the order of what comes is known longer */
#define HUSK_SIZE     1024 /* most are smaller */

void budget_finish(Budget *budget) {
    free(budget->authors);
    *budget = (Budget){.max = budget->max};
}

static BudgetAuthor *find(const Budget *budget, const MeshKey *author) {
    for (size_t i = 0; i < budget->count; i++) {
        if (mesh_key_equal(&budget->authors[i].author, author)) {
            return &budget->authors[i];
        }
    }
    return NULL;
}

/* Its account; one that nothing is booked on may be taken for it, or there is room for one more. */
static bool has_account(const Budget *budget, const MeshKey *author) {
    bool any = find(budget, author) || budget->count < MESH_AUTHORS_MAX;

    for (size_t i = 0; !any && i < budget->count; i++) {
        any = budget->authors[i].bytes == 0;
    }
    return any;
}

static BudgetAuthor *make(Budget *budget, const MeshKey *author) {
    BudgetAuthor *account = NULL;

    for (size_t i = 0; !account && i < budget->count; i++) {
        account = budget->authors[i].bytes == 0 ? &budget->authors[i] : NULL;
    }
    if (!account && budget->count < MESH_AUTHORS_MAX &&
        memory_grow((void **)&budget->authors, &budget->capacity, budget->count,
                    sizeof *budget->authors)) {
        account = &budget->authors[budget->count++];
    }
    if (account) {
        *account = (BudgetAuthor){.author = *author};
    }
    return account;
}

BudgetVerdict budget_judge(const Budget *budget, const MeshKey *author, size_t size,
                           size_t husk_size) {
    const BudgetAuthor *account = budget->max > 0 ? find(budget, author) : NULL;
    uint64_t bytes = account ? account->bytes : 0;

    if (budget->max == 0) {
        return BUDGET_WHOLE;
    }
    if (budget->total + husk_size > budget->max || !has_account(budget, author)) {
        return BUDGET_NOTHING;
    }
    return bytes + size <= budget->max / MESH_STORE_AUTHOR_DIVISOR &&
                   budget->total + size <= budget->max - budget->max / HUSKS_DIVISOR
               ? BUDGET_WHOLE
               : BUDGET_HUSK;
}

void budget_add(Budget *budget, const MeshKey *author, size_t size) {
    BudgetAuthor *account = budget->max > 0 ? find(budget, author) : NULL;

    if (budget->max == 0) {
        return;
    }
    account = account ? account : make(budget, author);
    budget->total += size;
    if (account) {
        account->bytes += size;
    }
}

void budget_remove(Budget *budget, const MeshKey *author, size_t size) {
    BudgetAuthor *account = find(budget, author);

    budget->total -= size < budget->total ? size : budget->total;
    if (account) {
        account->bytes -= size < account->bytes ? size : account->bytes;
    }
}

bool budget_is_full(const Budget *budget) {
    return budget->max > 0 && budget->total + HUSK_SIZE > budget->max;
}
