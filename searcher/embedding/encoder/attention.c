/* Softmax attention within each text, in float32: Vaswani et al. 2017, §3.2. One thread a call; no text depends on another.
 *
 * Keys are laid out across, so that the scores of a few queries with some keys are sums in registers, and a head's values
 * one after the other.
 */
#include <stdlib.h>

#include "float32.h"

/* Room for one head of the longest text. keys: panels of `size` down; values: (t, lanes of a value); scores: (ROWS, padded);
 * mixed: (ROWS, lanes of a value). */
typedef struct {
    float *keys, *values, *scores, *mixed;
} room;

/* A query's scores as shares before they are divided by their sum, which is returned. */
INLINE float shares(float *scores, int tokens, float by) {
    float most = scores[0], total = 0;
#pragma omp simd reduction(max : most)
    for (int t = 0; t < tokens; t++)
        most = scores[t] > most ? scores[t] : most;
#pragma omp simd reduction(+ : total)
    for (int t = 0; t < tokens; t++) {
        scores[t] = power_of_e((scores[t] - most) * by);
        total += scores[t];
    }
    return total;
}

/* One head of one text. query, key, value: of the first token, `row` from one to the next; out: `width` apart. */
static void attend(const float *query, const float *key, const float *value, size_t row, int tokens, int size, float *out,
                   size_t width, room at) {
    static const float zeros[MOST * LANES];
    const size_t padded = rounded(tokens), lanes = rounded(size);
    const float by = 1 / __builtin_sqrtf(size);
    for (size_t t = 0, across; t < padded; t += across) {
        across = panel(padded - t);
        const size_t end = t + across < (size_t)tokens ? t + across : (size_t)tokens;
        for (size_t k = t; k < end; k++)
            for (int c = 0; c < size; c++)
                at.keys[t * size + c * across + k - t] = key[k * row + c];
    }
    for (int t = 0; t < tokens; t++)
        __builtin_memcpy(at.values + t * lanes, value + t * row, size * sizeof(float));
    for (int first = 0; first < tokens; first += ROWS) {
        const int count = tokens - first < ROWS ? tokens - first : ROWS;
        const float *own[ROWS], *shared[ROWS];
        float sums[ROWS];
        for (int i = 0; i < ROWS; i++) {
            own[i] = query + (first + (i < count ? i : 0)) * row;
            shared[i] = at.scores + i * padded;
        }
        for (size_t t = 0, across; t < padded; t += across) {
            across = panel(padded - t);
            multiply(own, size, at.keys + t * size, across, across, zeros, 0, at.scores + t, padded);
        }
        for (int i = 0; i < ROWS; i++)
            sums[i] = shares(at.scores + i * padded, tokens, by);
        for (size_t c = 0, across; c < lanes; c += across) {
            across = panel(lanes - c);
            multiply(shared, tokens, at.values + c, lanes, across, zeros, 0, at.mixed + c, lanes);
        }
        for (int i = 0; i < count; i++)
            for (int j = 0; j < size; j++)
                out[(first + i) * width + j] = at.mixed[i * lanes + j] / sums[i];
    }
}

/* qkv: (T, 3 * heads * size) float32; bounds: (n + 1) of the texts; out: (T, heads * size). Returns 0, or 1 when there is
 * no memory. */
int searcher_attention(const float *qkv, const int64_t *bounds, int64_t n, int heads, int size, float *out) {
    int64_t longest = 0;
    for (int64_t i = 0; i < n; i++)
        longest = bounds[i + 1] - bounds[i] > longest ? bounds[i + 1] - bounds[i] : longest;
    const size_t width = (size_t)heads * size, padded = rounded(longest), lanes = rounded(size);
    float *memory = calloc(padded * size + longest * lanes + ROWS * (padded + lanes), sizeof(float));
    if (!memory)
        return 1;
    room at = {.keys = memory, .values = memory + padded * size};
    at.scores = at.values + longest * lanes;
    at.mixed = at.scores + ROWS * padded;
    for (int64_t i = 0; i < n; i++)
        for (int head = 0; head < heads; head++) {
            const float *query = qkv + bounds[i] * 3 * width + (size_t)head * size;
            attend(query, query + width, query + 2 * width, 3 * width, (int)(bounds[i + 1] - bounds[i]), size,
                   out + bounds[i] * width + (size_t)head * size, width, at);
        }
    free(memory);
    return 0;
}
