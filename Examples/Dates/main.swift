// Many to many: dates as people write them go in, ISO dates come out. One network reads, another writes: first with
// nothing but the reader's last state, then with attention, which may look at every letter that was read.
import Lesson
import Tarn

let months = [
  "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
  "november", "december",
]

/// A date in one of some forms, and as year-month-day.
func date(_ generator: inout SeededGenerator) -> (written: String, iso: String) {
  let (year, month) = (1950 + generator.integer(below: 100), 1 + generator.integer(below: 12))
  let day = 1 + generator.integer(below: 28)
  func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  let name = months[month - 1]
  let forms = [
    "\(day) \(name) \(year)", "\(name) \(day), \(year)", "\(name.prefix(3)) \(day) \(year)",
    "\(two(day)).\(two(month)).\(year)", "\(day). \(month). \(year)",
    "the \(day) of \(name) \(year)",
  ]
  return (forms[generator.integer(below: forms.count)], "\(year)-\(two(month))-\(two(day))")
}

var generator = SeededGenerator(seed: 8)
let dates = (0..<Lesson.amount(6000, quick: 600)).map { _ in date(&generator) }
let (reading, writing) = (Alphabet(of: dates.map(\.written)), Alphabet(of: dates.map(\.iso)))
let (longest, isoLength) = (28, 10)

func source(_ dates: some Collection<(written: String, iso: String)>) -> TensorSource {
  TensorSource(
    features: reading.tensor(dates.map(\.written), length: longest),
    labels: writing.tensor(dates.map(\.iso), length: isoLength))
}

/// Reads with one recurrent layer and writes with another, which begins where the first ended.
struct Translator: Module {
  var letters: Embedding
  var reader: GRU
  var symbols: Embedding
  var writer: GRU
  var say: Linear
  /// Whether the writer looks back at what the reader made of each letter.
  var looksBack: Bool

  init(reading: Int, writing: Int, size: Int, looksBack: Bool) {
    letters = Embedding(reading, 24)
    reader = GRU(24, size, batchFirst: true)
    symbols = Embedding(writing, 24)
    writer = GRU(24, size, batchFirst: true)
    say = Linear(looksBack ? 2 * size : size, writing)
    self.looksBack = looksBack
  }

  /// Letters [n, letters] and symbols so far [n, steps] → logits of the next symbols [n, steps, writing], and where the writer
  /// looked [n, steps, letters].
  func callAsFunction(_ x: Tensor, _ written: Tensor) -> (logits: Tensor, weights: Tensor) {
    let lengths = x.rowLengths
    let (read, state) = reader(letters(x), from: nil, lengths: lengths)
    let thoughts = writer(symbols(written), from: state).output
    let isRead = Tensor.arange(x.shape[1]) .< lengths.reshaped(-1, 1, 1)
    let weights = Tensor.attentionWeights(thoughts, read, mask: isRead)
    guard looksBack else { return (say(thoughts), weights) }
    let seen = Tensor.attention(thoughts, read, read, mask: isRead)
    return (say(.concatenated([thoughts, seen], axis: 2)), weights)
  }
}

struct Translation: TrainingTask {
  func count(_ batch: Batch) -> Int { batch.count }
  func output(_ model: Translator, _ batch: Batch) -> Tensor {
    model(batch.features, batch.labels.shifted).logits
  }
  func loss(_ logits: Tensor, _ batch: Batch) -> Tensor {
    crossEntropy(logits.flattened(from: 0, to: 1), batch.labels.reshaped(-1))
  }
}

/// What is written after `x`, symbol by symbol, and where the writer looked for each.
func translated(_ model: Translator, _ x: Tensor) -> (written: Tensor, weights: Tensor) {
  var written = Tensor.full([x.shape[0], 1], Alphabet.start, dtype: .int64)
  var weights = Tensor.zeros([0])
  for step in 0..<isoLength {
    let (logits, looked) = model(x, written)
    let next = logits[.all, step].argMax(axis: -1).expandedDims(1)
    written = Tensor.concatenated([written, next], axis: 1).evaluate()
    weights = looked
  }
  return (written[.all, 1...], weights)
}

let cut = dates.count * 9 / 10
let unseen = Array(dates[cut...])
for looksBack in [false, true] {
  var model = Initialization.seeded(5) {
    Translator(
      reading: reading.count, writing: writing.count, size: 64, looksBack: looksBack)
  }
  var options = TrainingOptions()
  options.epochs = Lesson.amount(12, quick: 2)
  options.batchSize = 64
  options.learningRate = 5e-3
  options.clipNorm = 1
  let history = try fit(
    &model, Translation(), train: source(dates[..<cut]), validation: source(dates[cut...]),
    options: options)
  let name = looksBack ? "with attention" : "from the last state alone"
  print("\(name): loss \(history.values("validation_loss").map { $0.digits(3) })")
  let inputs = reading.tensor(unseen.map(\.written), length: longest)
  let (written, weights) = translated(model, inputs)
  let answers = written.rows.map { writing.word($0) }
  let right = zip(answers, unseen).count { $0 == $1.iso }
  print("  \(right) of \(unseen.count) unseen dates are right")
  for (answer, date) in zip(answers, unseen).prefix(4) {
    print("  \(date.written) → \(answer)\(answer == date.iso ? "" : " instead of \(date.iso)")")
  }
  guard looksBack, let first = unseen.first else { continue }
  // The rows are what was written, the columns what was looked at.
  let columns = first.written.count
  let map = HeatMap(
    "Where the writer looked", subtitle: "\(first.written) → \(answers[0])",
    weights[0, .all, ..<columns].numbers, rows: isoLength, columns: columns,
    rowNames: answers[0].map(String.init), columnNames: first.written.map(String.init),
    colourLabel: "attention")
  try Lesson.show(map, as: "dates-attention")
}
