/* What all scans share: the best vectors so far. */
#include <stdint.h>

/* Enters a vector among the k best so far, which fall, equals by their places: the order of a scan does not matter. */
static void enter(int32_t score, int64_t place, int k, int32_t *scores, int64_t *places) {
    int at = k - 1;
    if (score < scores[at] || (score == scores[at] && (uint64_t)place >= (uint64_t)places[at]))
        return;
    for (; at > 0 && (scores[at - 1] < score || (scores[at - 1] == score && places[at - 1] > place)); at--) {
        scores[at] = scores[at - 1];
        places[at] = places[at - 1];
    }
    scores[at] = score;
    places[at] = place;
}
