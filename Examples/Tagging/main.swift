// Many to many in step: each character of a line of code gets a tag, code, text or comment. What a quotation
// mark means is known only from what stands before it, so the network reads the line, from both ends.
import Lesson
import Tarn

/// What a character belongs to.
enum Tag: Int, CaseIterable {
  case code = 0
  case string, comment

  var mark: Character { [".", "s", "c"][rawValue] }
}

/// A line of made-up code and the tag of each character.
func line(_ generator: inout SeededGenerator) -> (text: String, tags: [Tag]) {
  func pick(_ words: [String]) -> String { words[generator.integer(below: words.count)] }
  let names = ["x", "total", "name", "print", "size", "open", "log"]
  let words = ["hello", "a // b", "no", "it's", "x = 1", "end", "; (", "so"]
  var (text, tags) = ("", [Tag]())
  func add(_ piece: String, _ tag: Tag) {
    text += piece
    tags += [Tag](repeating: tag, count: piece.count)
  }
  add("\(pick(names))(", .code)
  for number in 0..<1 + generator.integer(below: 2) {
    if number > 0 { add(", ", .code) }
    if generator.chance(0.6) { add("\"\(pick(words))\"", .string) } else { add(pick(names), .code) }
  }
  add(");", .code)
  if generator.chance(0.5) { add(" // \(pick(names)) \"\(pick(words))\"", .comment) }
  return (text, tags)
}

let length = 48
var generator = SeededGenerator(seed: 4)
let lines = (0..<Lesson.amount(1500, quick: 300)).map { _ in line(&generator) }
let alphabet = Alphabet(of: lines.map(\.text))
/// What is beyond a line's end has no tag.
let untagged: Int64 = -1

func source(_ lines: some Collection<(text: String, tags: [Tag])>) -> TensorSource {
  let labels = lines.flatMap { line in
    let tags = line.tags.prefix(length).map { Int64($0.rawValue) }
    return tags + [Int64](repeating: untagged, count: length - tags.count)
  }
  return TensorSource(
    features: alphabet.tensor(lines.map(\.text), length: length),
    labels: Tensor(labels, shape: [lines.count, length]))
}

struct Tagger: Layer {
  var letters: Embedding
  var rnn: GRU
  var decide: Linear

  init(letters count: Int, tags: Int) {
    letters = Embedding(count, 12)
    rnn = GRU(12, 24, batchFirst: true, bidirectional: true)
    decide = Linear(48, tags)
  }

  /// [n, length] → [n, length, tags]
  func callAsFunction(_ x: Tensor) -> Tensor {
    decide(rnn(letters(x), from: nil, lengths: x.rowLengths).output)
  }
}

struct TagTask: TrainingTask {
  func count(_ batch: Batch) -> Int { batch.count }
  func output(_ model: Tagger, _ batch: Batch) -> Tensor { model(batch.features) }
  func loss(_ logits: Tensor, _ batch: Batch) -> Tensor {
    crossEntropy(logits.flattened(from: 0, to: 1), batch.labels.reshaped(-1), ignoring: -1)
  }
}

let cut = lines.count * 4 / 5
var model = Initialization.seeded(3) {
  Tagger(letters: alphabet.count, tags: Tag.allCases.count)
}
var options = TrainingOptions()
options.epochs = Lesson.amount(12, quick: 3)
options.learningRate = 1e-2
let history = try fit(
  &model, TagTask(), train: source(lines[..<cut]), validation: source(lines[cut...]),
  options: options)
print("loss a character on unseen lines \(history.values("validation_loss").map { $0.digits(4) })")

let unseen = Array(lines[cut...])
let guesses = model(alphabet.tensor(unseen.map(\.text), length: length)).argMax(axis: -1).rows
var (right, all) = (0, 0)
for (line, guess) in zip(unseen, guesses) {
  for (tag, number) in zip(line.tags, guess) {
    all += 1
    right += tag.rawValue == number ? 1 : 0
  }
}
print("\((100 * Double(right) / Double(all)).digits(2)) % of \(all) characters are tagged rightly")
for (line, guess) in zip(unseen, guesses).prefix(4) {
  let marks = zip(line.text, guess).map { Tag(rawValue: $0.1)?.mark ?? "?" }
  print("  \(line.text)\n  \(String(marks))")
}
