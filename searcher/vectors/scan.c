/* Which of many vectors, kept as a byte a number, have the greatest inner products with a question's: a scan of all in
 * AVX-512 VNNI. The question is rounded too, so what is found are candidates, to be scored again. */
#include "scan.h"

int searcher_scan_supported(void) {
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw");
}

/* codes: (n, width), of which first … end - 1 are looked at; weights: (questions, width); allowed: n bits, the lowest of a byte first,
 * or NULL for all. scores, places: (questions, k), falling; INT32_MIN and -1 where there are fewer. */
void searcher_scan(const uint8_t *codes, int64_t first, int64_t end, int width, const int8_t *weights, int questions,
                   const uint8_t *allowed, int k, int32_t *scores, int64_t *places) {
    for (int64_t i = 0; i < (int64_t)questions * k; i++)
        scores[i] = INT32_MIN, places[i] = -1;
    for (int64_t block = first; block < end; block += BLOCK) {
        const int64_t stop = block + BLOCK < end ? block + BLOCK : end;
        for (int q = 0; q < questions; q++) {
            const int8_t *weight = weights + (int64_t)q * width;
            int32_t *best = scores + (int64_t)q * k;
            for (int64_t place = block; place < stop; place++) {
                if (allowed && !(allowed[place >> 3] >> (place & 7) & 1))
                    continue;
                enter(product(codes + place * width, weight, width), place, k, best, places + (int64_t)q * k);
            }
        }
    }
}
