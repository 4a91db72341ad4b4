// Many to one: some words of a sentence go in letter by letter, their language comes out.
import Lesson
import Tarn

let languages = Array(texts.keys).sorted()

/// Pieces of four words each, with the number of their language.
func pieces(_ sentences: (Int) -> Bool) -> (texts: [String], labels: [Int64]) {
  var (found, labels): ([String], [Int64]) = ([], [])
  for (number, language) in languages.enumerated() {
    let all = (texts[language] ?? "").lowercased().split(separator: ".")
    for (index, sentence) in all.enumerated() where sentences(index) {
      let words = sentence.split { $0 == " " || $0 == "\n" || $0 == "," }
      for first in stride(from: 0, to: max(1, words.count - 3), by: 1) {
        found.append(words[first..<min(words.count, first + 4)].joined(separator: " "))
        labels.append(Int64(number))
      }
    }
  }
  return (found, labels)
}

// Every fourth sentence is kept to test on.
let (learn, test) = (pieces { $0 % 4 != 3 }, pieces { $0 % 4 == 3 })
let alphabet = Alphabet(of: learn.texts)
func source(_ pieces: (texts: [String], labels: [Int64])) -> TensorSource {
  TensorSource(features: alphabet.tensor(pieces.texts, length: 40), labels: Tensor(pieces.labels))
}

/// The state after the last letter that counts decides.
struct Reader: Layer {
  var letters: Embedding
  var rnn: LSTM
  var decide: Linear

  init(letters count: Int, languages: Int) {
    letters = Embedding(count, 16)
    rnn = LSTM(16, 48, batchFirst: true)
    decide = Linear(48, languages)
  }

  /// [n, length] → [n, languages]
  func callAsFunction(_ x: Tensor) -> Tensor {
    decide(rnn(letters(x), from: nil, lengths: x.rowLengths).state.hidden[0])
  }
}

var model = Initialization.seeded(2) {
  Reader(letters: alphabet.count, languages: languages.count)
}
var options = TrainingOptions()
options.epochs = Lesson.amount(25, quick: 3)
options.batchSize = 16
options.learningRate = 3e-3
options.clipNorm = 1
let history = try fit(
  &model, Classification(), train: source(learn), validation: source(test), options: options)
print("\(learn.texts.count) pieces to learn from, \(test.texts.count) to test on")
print("accuracy on unseen sentences \(history.values("validation_accuracy").map { $0.digits(2) })")
let matrix = try confusion(model, on: source(test), classes: languages)
print(
  TextTable(
    ["actual \\ taken for"] + languages,
    zip(languages, matrix.rows).map { name, row in [name] + row.map(String.init) }))
