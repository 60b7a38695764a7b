/* Layers of a BERT one after the other in one call: whoever calls from Python waits for its interpreter once, not after
 * every kernel. */
#include "tiles.h"

/* Weights as dense.c takes them. */
typedef struct {
    const uint16_t *inputs; /* queries, keys and values */
    const float *inputs_bias;
    const uint16_t *output;
    const float *output_bias, *first_scale, *first_shift;
    const uint16_t *up;
    const float *up_bias;
    const uint16_t *down;
    const float *down_bias, *second_scale, *second_shift;
} layer;

/* state, between, mixed: (rows, width); qkv: (rows, 3 * width); hidden: (rows, inner); all bfloat16, `state` is read and
 * written. bounds: (n + 1) of the texts. Returns 0, or 1 when there is no memory. */
int searcher_layers(const layer *layers, int count, int64_t rows, int width, int inner, int heads, int activation,
                    float epsilon, const int64_t *bounds, int64_t n, uint16_t *qkv, uint16_t *mixed, uint16_t *hidden,
                    uint16_t *between, uint16_t *state) {
    for (const layer *l = layers; l < layers + count; l++) {
        searcher_dense(state, rows, width, l->inputs, l->inputs_bias, 3 * width, qkv);
        if (searcher_attention(qkv, bounds, n, heads, width / heads, mixed) ||
            searcher_dense_norm(mixed, 0, rows, width, l->output, l->output_bias, width, state, l->first_scale,
                                l->first_shift, epsilon, between) ||
            searcher_dense_activated(between, rows, width, l->up, l->up_bias, inner, activation, hidden) ||
            searcher_dense_norm(hidden, 1, rows, inner, l->down, l->down_bias, width, between, l->second_scale,
                                l->second_shift, epsilon, state))
            return 1;
    }
    return 0;
}
