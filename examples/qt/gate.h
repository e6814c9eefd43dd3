/* doorsill for Qt: pictures are compared with hash lists on a thread of the pool, before they are
 * sent. Copy gate.* and views.* into a client; doorsill.h says what each value means. */
#pragma once

#include <doorsill.h>

#include <QFuture>
#include <QImage>
#include <QList>
#include <QString>
#include <QStringList>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

/* What is known of a file or of pixels. The images are shared, not copied, and a snapshot: whoever
 * changes one of them afterwards changes a copy of their own. */
struct Reading {
  QList<QImage> views;
  QList<doorsill_digests> digests;
  doorsill_reading reading = DOORSILL_READ_WHOLE;
};

struct Match {
  QString list, entry, category, message, help, appeal, hasher;
  int distance = 0;
  int profile = DOORSILL_FULL;
  int view = 0; /* index into Reading::views */
  doorsill_evidence evidence = DOORSILL_NO_EVIDENCE;
  doorsill_action action = DOORSILL_SEND;
  bool test = false; /* the published test card */
};

struct Verdict {
  doorsill_outcome outcome = DOORSILL_UNREADABLE;
  doorsill_action action = DOORSILL_BLOCK; /* what is not checked is not sent */
  doorsill_evidence evidence = DOORSILL_NO_EVIDENCE;
  QString reason;
  int quality = 0;
  QList<Match> matches; /* what decided comes first */
};

/* Whom lists are believed, and the primitives to check it with: native/glue has libsodium's. A
 * signed list has its .tlog-proof beside it. */
struct Trust {
  QByteArray policy; /* a tlog-policy text */
  doorsill_tier tier = DOORSILL_WITNESSED;
  quint64 now = 0; /* POSIX seconds for a release that was just fetched; 0 for one opened again */
  const doorsill_crypto *crypto = nullptr;
};

/* A list or the test card that is not as it should be; what() names it and says what to do. */
class GateError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/* Stands before lists. Any thread may call any method; to swap lists, open another Gate. */
class Gate {
 public:
  using Decode = std::function<Reading(const QByteArray &)>;

  /* Opens lists, and screens the test card, decoded as `decode` decodes any picture, against each.
   * Without `trust` they are files of your own, that came with the app. Throws GateError: without a
   * Gate no host claims that pictures are checked. */
  static std::shared_ptr<const Gate> open(const QStringList &lists, const Decode &decode,
                                          const std::optional<Trust> &trust = std::nullopt);
  static std::shared_ptr<const Gate> open(const QStringList &lists, const Decode &decode,
                                          const std::optional<Trust> &trust,
                                          const doorsill_policy &policy);

  /* The verdict, here and now; nothing at all once `isCancelled` says so. */
  std::optional<Verdict> screen(const Reading &reading,
                                const std::function<bool()> &isCancelled = {}) const;

  /* The same on a thread of the pool, decoding included. `cancel()` of the future returns at once,
   * and the thread stops within a hash, 6 ms at 12 megapixels; a decoder ends first. */
  QFuture<Verdict> screenLater(const QByteArray &file, const Decode &decode) const;
  QFuture<Verdict> screenLater(const Reading &reading) const;

 private:
  using List = std::unique_ptr<doorsill_list, decltype(&doorsill_list_close)>;
  void add(const QString &path, const std::optional<Trust> &trust);
  void selfTest(const Decode &decode, const QString &lists) const;
  explicit Gate(const doorsill_policy &policy) : policy_(policy) {}
  Verdict named(const doorsill_verdict &verdict, const QList<int> &imageOf) const;

  std::vector<QByteArray> files_; /* lists stand on these bytes, */
  std::vector<List> lists_;       /* and are closed before them */
  std::vector<const doorsill_list *> pointers_;
  doorsill_policy policy_;
  std::weak_ptr<const Gate> self_; /* so that screenings keep the lists that they began with */
};

/* Qt's pixels as the core takes them, without a copy for the formats of most images. */
doorsill_pixels pixelsOf(const QImage &image);
/* The image itself, or one in a format that the core takes. */
QImage accepted(const QImage &image);
