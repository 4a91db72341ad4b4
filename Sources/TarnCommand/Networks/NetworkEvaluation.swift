import Foundation
import Tarn

/// How well a network of the zoo or an ONNX file tells pictures apart whose classes are known.
struct NetworkEvaluation: Answer {
  var model: String
  var weights: String?
  var data: String
  /// Pictures whose class the network knows.
  var count = 0
  var top1 = 0.0
  var top5 = 0.0
  var loss = 0.0
  /// Classes of the data that are none of the network's; their pictures do not count.
  var unknownClasses: [String] = []
  var failures: [PredictAnswer.Failure]
  var seconds = 0.0

  /// - Parameters:
  ///   - labelFile: a text with the names of the network's classes; nil: what is known of the weights.
  init(
    _ network: Network, data: String, labelFile: String?, columns: (file: String, label: String),
    console: Console
  ) throws {
    (model, weights, self.data) = (network.name, network.weights.map(Paths.shown), data)
    guard let rule = network.preprocessing else {
      throw DataError(
        .unsupported, file: network.name, reason: "does not take pictures",
        hint: "feed it tensors: tarn run \(network.name) --input FILE.safetensors")
    }
    let url = URL(fileURLWithPath: data)
    let pictures =
      url.pathExtension.lowercased() == "csv"
      ? try LabelledImages(
        table: url, fileColumn: columns.file, labelColumn: columns.label, preprocessing: rule)
      : try LabelledImages(classFolders: url, preprocessing: rule)
    failures = pictures.failures.map { .init(file: $0.file.path, reason: $0.reason) }
    console.list(pictures.failures)
    try count(network, pictures, labelFile, console)
  }

  private mutating func count(
    _ network: Network, _ pictures: LabelledImages, _ labelFile: String?, _ console: Console
  ) throws {
    let start = Date()
    var places: [Int?]?
    let bar = ProgressBar(
      title: network.name, total: pictures.count, unit: "picture", isQuiet: console.isQuiet)
    defer { bar.finish() }
    let batches = pictures.batched(16).epoch(0).prefetched()
    var seen = 0
    while let batch = try batches.next() {
      let outputs = try network.classify(batch.features)
      let known = try places ?? self.places(network, pictures.classes, outputs, labelFile)
      places = known
      add(outputs, batch.labels.array(of: Int.self).map { known[$0] })
      seen += batch.count
      bar.update(done: seen)
    }
    seconds = Date().timeIntervalSince(start)
    guard count > 0 else {
      throw DataError(
        .invalid, file: data,
        reason: "none of its classes is one of \(network.name)'s: "
          + unknownClasses.prefix(5).map { "'\($0)'" }.joined(separator: ", "),
        hint: "name classes by their number, their name or WordNet's number; --labels gives others")
    }
    (top1, top5, loss) = (top1 / Double(count), top5 / Double(count), loss / Double(count))
  }

  private mutating func places(
    _ network: Network, _ classes: [String], _ outputs: Tensor, _ labelFile: String?
  ) throws -> [Int?] {
    let (names, first) = try network.names(outputs.shape.last ?? 0, labelFile)
    let index = ClassIndex(names: names, firstClass: first, count: outputs.shape.last ?? 0)
    let places = classes.map { index[$0] }
    unknownClasses = zip(classes, places).filter { $1 == nil }.map(\.0)
    return places
  }

  private mutating func add(_ outputs: Tensor, _ labels: [Int?]) {
    let classes = outputs.shape[1]
    let logs = Network.probabilities(outputs).log().array(of: Double.self)
    for (row, label) in labels.enumerated() {
      guard let label else { continue }
      let own = logs[row * classes + label]
      let above = logs[(row * classes)..<((row + 1) * classes)].count { $0 > own }
      count += 1
      top1 += above < 1 ? 1 : 0
      top5 += above < 5 ? 1 : 0
      loss -= own
    }
  }

  var exitCode: Int32 { 0 }

  var text: String {
    let unknown =
      unknownClasses.isEmpty
      ? "" : "\n\(unknownClasses.count) classes of the data are none of the network's"
    return "\(model) on \(Text.count(count)) pictures of \(data): top 1 \(Text.percent(top1)), "
      + "top 5 \(Text.percent(top5)), loss \(Text.number(loss)), \(Text.seconds(seconds))" + unknown
  }
}

/// Finds a network's class by what people write for it.
struct ClassIndex {
  private var places: [String: Int] = [:]
  private let numbers: Range<Int>
  private let firstClass: Int

  /// - Parameter names: of all outputs; synonyms with commas between, perhaps after WordNet's number. May be empty.
  init(names: [String], firstClass: Int, count: Int) {
    (numbers, self.firstClass) = (0..<max(0, count - firstClass), firstClass)
    for (place, name) in names.enumerated().dropFirst(firstClass) {
      add(name, place)
      let words = name.split(separator: " ", maxSplits: 1)
      let isSynset = words.first.map { $0.first == "n" && $0.dropFirst().allSatisfy(\.isNumber) }
      let plain = isSynset == true && words.count == 2 ? String(words[1]) : name
      if isSynset == true { add(String(words[0]), place) }
      for synonym in plain.split(separator: ",") { add(String(synonym), place) }
    }
  }

  private mutating func add(_ name: String, _ place: Int) {
    let key = Self.key(name)
    if places[key] == nil { places[key] = place }
  }

  private static func key(_ name: String) -> String {
    String(name.lowercased().map { $0 == "_" || $0 == "-" ? " " : $0 })
      .trimmingCharacters(in: .whitespaces)
  }

  /// The network's output for a class's number, name, synonym or WordNet number.
  subscript(name: String) -> Int? {
    if let number = Int(name), numbers.contains(number) { return number + firstClass }
    return places[Self.key(name)]
  }
}
