/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a relay keeps of the entries of others: so many bytes of each author, and so many in all.
 * It owns the account. It never deletes: what is kept is kept, and of what goes beyond only husks
 * are, or nothing.
 */
#pragma once

#include "mesh/journal/entry.h"

typedef struct {
    MeshKey author;
    uint64_t bytes;
} BudgetAuthor;

typedef struct {
    uint64_t max;   /* bytes in all; 0: no account is kept, and everything fits */
    uint64_t total; /* of what is kept */
    BudgetAuthor *authors;
    size_t count, capacity; /* at most MESH_AUTHORS_MAX */
} Budget;

typedef enum {
    BUDGET_WHOLE,
    BUDGET_HUSK, /* the author has its part, or what is left is for husks */
    BUDGET_NOTHING,
} BudgetVerdict;

void budget_finish(Budget *budget);
/* What of an entry of so many bytes may be kept, its husk being of `husk_size`. */
BudgetVerdict budget_judge(const Budget *budget, const MeshKey *author, size_t size,
                           size_t husk_size);
/* So many bytes of this author are kept, or are not any more. */
void budget_add(Budget *budget, const MeshKey *author, size_t size);
void budget_remove(Budget *budget, const MeshKey *author, size_t size);
/* There is no room for another husk: there is no point in asking for entries. */
bool budget_is_full(const Budget *budget);
