/* What the kernels use of AMX tiles, in AVX512-BF16 for a CPU that has no tiles: compile with -DSEARCHER_DOT. A right or left
 * side is not copied but read where it lies, so it has to be used before that memory changes, which all kernels do. */
#ifndef SEARCHER_DOT_H
#define SEARCHER_DOT_H

enum { DOT_ROWS = 8 };

typedef struct {
    const char *from; /* where its rows lie, `stride` bytes apart; 0 where `sums` holds them */
    size_t stride;
    float sums[TILE * TILE] __attribute__((aligned(64)));
} dot_tile;

static __thread dot_tile dot_tiles[8];

INLINE void dot_zero(int tile) {
    dot_tiles[tile].from = 0;
    for (int i = 0; i < TILE; i++)
        _mm512_store_ps(dot_tiles[tile].sums + i * TILE, _mm512_setzero_ps());
}

INLINE void dot_load(int tile, const void *from, size_t stride) {
    dot_tiles[tile].from = from;
    dot_tiles[tile].stride = stride;
}

INLINE void dot_store(int tile, void *to, size_t stride) {
    for (int i = 0; i < TILE; i++)
        _mm512_storeu_ps((char *)to + i * stride, _mm512_load_ps(dot_tiles[tile].sums + i * TILE));
}

/* 16 rows by 16 columns gain a tile of 16 rows of 16 pairs times one of 16 pairs down. */
INLINE void dot_multiply(int sum, int left, int right) {
    dot_tile *to = dot_tiles + sum;
    const dot_tile *a = dot_tiles + left, *b = dot_tiles + right;
    const char *from = to->from ? to->from : (const char *)to->sums;
    const size_t stride = to->from ? to->stride : 64;
    __m512 sums[TILE];
#pragma GCC unroll 16
    for (int i = 0; i < TILE; i++)
        sums[i] = _mm512_loadu_ps(from + i * stride);
    for (int pair = 0; pair < TILE; pair++) {
        const __m512bh own = (__m512bh)_mm512_loadu_si512(b->from + pair * b->stride);
#pragma GCC unroll 16
        for (int i = 0; i < TILE; i++) {
            int32_t two;
            __builtin_memcpy(&two, a->from + i * a->stride + 4 * pair, 4);
            sums[i] = _mm512_dpbf16_ps(sums[i], own, (__m512bh)_mm512_set1_epi32(two));
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < TILE; i++)
        _mm512_store_ps(to->sums + i * TILE, sums[i]);
    to->from = 0;
}

/* 32 tokens times a panel of 32 outputs over so many steps of 32 inputs, added to `sums` or put there; 8 tokens by 32 outputs stay
 * in registers throughout. stride, next: elements from a token to the next, and from a step to the next. */
INLINE void dot_block(const uint16_t *x, size_t stride, size_t next, const uint16_t *panel, int steps, int add,
                      float *sums) {
    for (int row = 0; row < 2 * TILE; row += DOT_ROWS, x += DOT_ROWS * stride, sums += DOT_ROWS * 2 * TILE) {
        __m512 low[DOT_ROWS], high[DOT_ROWS];
#pragma GCC unroll 8
        for (int i = 0; i < DOT_ROWS; i++) {
            low[i] = add ? _mm512_load_ps(sums + i * 2 * TILE) : _mm512_setzero_ps();
            high[i] = add ? _mm512_load_ps(sums + i * 2 * TILE + TILE) : _mm512_setzero_ps();
        }
        for (int step = 0; step < steps; step++)
            for (int pair = 0; pair < TILE; pair++) {
                const uint16_t *own = x + step * next + 2 * pair, *w = panel + step * 1024 + pair * STEP;
                const __m512bh left = (__m512bh)_mm512_loadu_si512(w), right = (__m512bh)_mm512_loadu_si512(w + 512);
#pragma GCC unroll 8
                for (int i = 0; i < DOT_ROWS; i++) {
                    int32_t two;
                    __builtin_memcpy(&two, own + i * stride, 4);
                    const __m512bh inputs = (__m512bh)_mm512_set1_epi32(two);
                    low[i] = _mm512_dpbf16_ps(low[i], left, inputs);
                    high[i] = _mm512_dpbf16_ps(high[i], right, inputs);
                }
            }
#pragma GCC unroll 8
        for (int i = 0; i < DOT_ROWS; i++) {
            _mm512_store_ps(sums + i * 2 * TILE, low[i]);
            _mm512_store_ps(sums + i * 2 * TILE + TILE, high[i]);
        }
    }
}

#undef _tile_zero
#undef _tile_loadd
#undef _tile_stream_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_zero(tile) dot_zero(tile)
#define _tile_loadd(tile, from, stride) dot_load(tile, from, stride)
#define _tile_stream_loadd(tile, from, stride) dot_load(tile, from, stride)
#define _tile_stored(tile, to, stride) dot_store(tile, to, stride)
#define _tile_dpbf16ps(sum, left, right) dot_multiply(sum, left, right)

#endif
