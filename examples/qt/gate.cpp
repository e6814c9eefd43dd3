#include "gate.h"

#include <QFile>
#include <QPromise>
#include <QtConcurrent>
#include <cstring>
#include <vector>
#ifdef Q_OS_LINUX
#include <sys/resource.h>
#endif

namespace {

/* A pool of our own, whose threads give way to the one that draws the window. Linux leaves
 * priorities of threads alone, but not how nice they are. */
QThreadPool &pool() {
  static QThreadPool pool;
  pool.setThreadPriority(QThread::LowPriority);
  return pool;
}

void giveWay() {
#ifdef Q_OS_LINUX
  (void)setpriority(PRIO_PROCESS, 0, 5); /* of this thread */
#endif
}

/* The core's name for a format, 0 where it has none. 32-bit formats of Qt are words, so that their
 * bytes lie the other way round on big-endian machines. */
uint32_t formatOf(QImage::Format format) {
  const bool little = Q_BYTE_ORDER == Q_LITTLE_ENDIAN;
  switch (format) {
    case QImage::Format_Grayscale8:
      return DOORSILL_GRAY;
    case QImage::Format_Grayscale16:
      return DOORSILL_GRAY16;
    case QImage::Format_RGB888:
      return DOORSILL_RGB;
    case QImage::Format_RGBX8888:
      return DOORSILL_RGBX;
    case QImage::Format_RGBA8888:
      return DOORSILL_RGBA;
    case QImage::Format_RGB32:
      return little ? DOORSILL_BGRX : 0;
    case QImage::Format_ARGB32:
      return little ? DOORSILL_BGRA : 0;
    default:
      return 0;
  }
}

void require(doorsill_status status, const QString &what, const char *detail = nullptr) {
  if (status == DOORSILL_OK) return;
  QString why = QString::fromUtf8(doorsill_status_text(status));
  if (detail) why += QStringLiteral(" (%1)").arg(QString::fromUtf8(detail));
  throw GateError(QStringLiteral("%1: %2").arg(what, why).toStdString());
}

QByteArray read(const QString &path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly))
    throw GateError(QStringLiteral("%1: %2").arg(path, file.errorString()).toStdString());
  return file.readAll();
}

QString textOf(const doorsill_list *list, doorsill_text kind, uint32_t key) {
  size_t length = 0;
  const char *text = doorsill_list_text(list, kind, key, "en", &length);
  return QString::fromUtf8(text, text ? static_cast<qsizetype>(length) : 0);
}

bool isComparable(const QImage &image) {
  return !image.isNull() && qMax(image.width(), image.height()) <= DOORSILL_MAX_SIDE;
}

/* The hashes of a reading's images: over each ground that makes a difference. */
struct Hashes {
  std::vector<doorsill_pdq> pdqs;
  QList<int> imageOf;

  ~Hashes() { /* hashes of what a person would send do not stay in memory */
    volatile uint8_t *byte = reinterpret_cast<volatile uint8_t *>(pdqs.data());
    for (size_t left = pdqs.size() * sizeof(doorsill_pdq); left; left--) *byte++ = 0;
  }
};

void hashImage(const QImage &given, int number, std::vector<char> &workspace, Hashes &hashes,
               const std::function<bool()> &isCancelled) {
  const QImage image = accepted(given);
  const doorsill_pixels pixels = pixelsOf(image);
  const bool alpha = pixels.format == DOORSILL_RGBA || pixels.format == DOORSILL_BGRA;
  const size_t first = hashes.pdqs.size();
  workspace.resize(std::max(workspace.size(), doorsill_pdq_workspace(pixels.width, pixels.height)));
  for (uint32_t ground = DOORSILL_WHITE; ground <= (alpha ? DOORSILL_ALPHA_IGNORED : 0); ground++) {
    if (isCancelled && isCancelled()) return;
    doorsill_pdq pdq;
    require(doorsill_pdq_hash(&pixels, ground, workspace.data(), workspace.size(), &pdq),
            QStringLiteral("image %1").arg(number));
    if (ground && std::memcmp(&pdq, &hashes.pdqs[first], sizeof pdq) == 0) continue;
    hashes.pdqs.push_back(pdq);
    hashes.imageOf.append(number);
  }
}

}  // namespace

QImage accepted(const QImage &image) {
  if (formatOf(image.format())) return image;
  return image.convertToFormat(image.hasAlphaChannel() ? QImage::Format_RGBA8888
                                                       : QImage::Format_RGBX8888);
}

doorsill_pixels pixelsOf(const QImage &image) {
  return {image.constBits(), static_cast<ptrdiff_t>(image.bytesPerLine()),
          static_cast<uint32_t>(image.width()), static_cast<uint32_t>(image.height()),
          formatOf(image.format())};
}

std::shared_ptr<const Gate> Gate::open(const QStringList &lists, const Decode &decode,
                                       const std::optional<Trust> &trust) {
  doorsill_policy policy;
  doorsill_policy_default(&policy);
  return open(lists, decode, trust, policy);
}

std::shared_ptr<const Gate> Gate::open(const QStringList &lists, const Decode &decode,
                                       const std::optional<Trust> &trust,
                                       const doorsill_policy &policy) {
  std::shared_ptr<Gate> gate(new Gate(policy));
  for (const QString &path : lists) gate->add(path, trust);
  gate->selfTest(decode, lists.isEmpty() ? QStringLiteral("no list") : lists.join(", "));
  gate->self_ = gate;
  return gate;
}

void Gate::add(const QString &path, const std::optional<Trust> &trust) {
  const QByteArray file = read(path);
  const auto bytes = [](const QByteArray &data) { return static_cast<size_t>(data.size()); };
  const char *detail = nullptr;
  if (trust) {
    const QByteArray proof = read(path + QStringLiteral(".tlog-proof"));
    const doorsill_trust asked = {trust->policy.constData(), bytes(trust->policy),
                                  static_cast<uint32_t>(trust->tier)};
    doorsill_release release;
    require(
        doorsill_release_check(&asked, proof.constData(), bytes(proof), file.constData(),
                               bytes(file), nullptr, trust->now, trust->crypto, &release, &detail),
        path, detail);
  }
  doorsill_list *list = nullptr;
  require(doorsill_list_open(file.constData(), bytes(file), &list, &detail), path, detail);
  files_.push_back(file); /* shares its bytes with the list */
  lists_.emplace_back(list, &doorsill_list_close);
  pointers_.push_back(list);
}

void Gate::selfTest(const Decode &decode, const QString &lists) const {
  const Reading reading = decode(read(QStringLiteral(":/doorsill/testcard.png")));
  if (reading.views.isEmpty())
    throw GateError("the test card cannot be decoded; is Qt's PNG reader there?");
  const QImage image = accepted(reading.views.first());
  const doorsill_pixels pixels = pixelsOf(image);
  const doorsill_view view = {&pixels, nullptr, nullptr, 0};
  std::vector<char> workspace(doorsill_workspace(&view, 1));
  require(doorsill_self_test(pointers_.data(), pointers_.size(), &view, &policy_, workspace.data(),
                             workspace.size()),
          lists);
}

std::optional<Verdict> Gate::screen(const Reading &reading,
                                    const std::function<bool()> &isCancelled) const {
  Hashes hashes;
  std::vector<char> workspace;
  doorsill_reading state = reading.reading;
  if (reading.views.isEmpty() && state == DOORSILL_READ_WHOLE) state = DOORSILL_READ_PARTLY;
  for (int i = 0; i < reading.views.size(); i++) {
    if (isCancelled && isCancelled()) return std::nullopt;
    if (!isComparable(reading.views[i]) || hashes.pdqs.size() + 4 > DOORSILL_MAX_VIEWS)
      state = DOORSILL_READ_PARTLY;
    else
      hashImage(reading.views[i], i, workspace, hashes, isCancelled);
  }
  if (isCancelled && isCancelled()) return std::nullopt;
  std::vector<doorsill_view> views;
  for (const doorsill_pdq &pdq : hashes.pdqs) views.push_back({nullptr, &pdq, nullptr, 0});
  doorsill_verdict verdict;
  require(doorsill_screen(pointers_.data(), pointers_.size(), views.data(), views.size(),
                          reading.digests.constData(), static_cast<size_t>(reading.digests.size()),
                          state, &policy_, nullptr, 0, &verdict),
          QStringLiteral("screening"));
  return named(verdict, hashes.imageOf);
}

QFuture<Verdict> Gate::screenLater(const Reading &reading) const {
  return QtConcurrent::run(&pool(), [self = self_.lock(), reading](QPromise<Verdict> &promise) {
    giveWay();
    if (auto verdict = self->screen(reading, [&] { return promise.isCanceled(); }))
      promise.addResult(*std::move(verdict));
  });
}

QFuture<Verdict> Gate::screenLater(const QByteArray &file, const Decode &decode) const {
  return QtConcurrent::run(&pool(),
                           [self = self_.lock(), file, decode](QPromise<Verdict> &promise) {
                             giveWay();
                             const auto isCancelled = [&] { return promise.isCanceled(); };
                             if (isCancelled()) return;
                             const Reading reading = decode(file);
                             if (auto verdict = self->screen(reading, isCancelled))
                               promise.addResult(*std::move(verdict));
                           });
}

Verdict Gate::named(const doorsill_verdict &verdict, const QList<int> &imageOf) const {
  Verdict made;
  made.outcome = static_cast<doorsill_outcome>(verdict.outcome);
  made.action = static_cast<doorsill_action>(verdict.action);
  made.evidence = static_cast<doorsill_evidence>(verdict.evidence);
  made.reason = QString::fromUtf8(doorsill_verdict_reason(&verdict));
  made.quality = static_cast<int>(verdict.quality);
  for (uint32_t i = 0; i < verdict.match_count; i++) {
    const doorsill_match &match = verdict.matches[i];
    const doorsill_list *list = pointers_[match.list];
    const bool byDigest = match.hasher == DOORSILL_NO_HASHER;
    doorsill_entry entry;
    doorsill_hasher_info hasher = {};
    require(doorsill_list_entry(list, match.entry, &entry), QStringLiteral("entry"));
    if (!byDigest)
      require(doorsill_list_hasher(list, match.hasher, &hasher), QStringLiteral("hasher"));
    Match shown;
    shown.list = textOf(list, DOORSILL_TEXT_LIST, 0);
    shown.entry = QString::fromLatin1(
        QByteArray(reinterpret_cast<const char *>(entry.id), sizeof entry.id).toHex());
    shown.category = textOf(list, DOORSILL_TEXT_CATEGORY, entry.category);
    shown.message = textOf(list, DOORSILL_TEXT_MESSAGE, entry.category);
    shown.help = textOf(list, DOORSILL_TEXT_HELP, entry.category);
    shown.appeal = textOf(list, DOORSILL_TEXT_APPEAL, entry.category);
    shown.hasher = byDigest ? QStringLiteral("digest") : QString::fromUtf8(hasher.name);
    shown.distance = match.distance;
    shown.profile = match.profile;
    shown.view = byDigest ? 0 : imageOf[static_cast<int>(match.view)];
    shown.evidence = static_cast<doorsill_evidence>(match.evidence);
    shown.action = static_cast<doorsill_action>(match.action);
    shown.test = entry.flags & DOORSILL_ENTRY_TEST;
    made.matches.append(shown);
  }
  return made;
}
