// Feeds damaged files to every reader of files of unknown origin, under the sanitizers: see Tools/fuzz/run, which builds and
// calls it.
//
//     TarnFuzz [--scratch FOLDER] [--rounds N] [--seconds N] [READER...]     in the repository's root
//     TarnFuzz --list                                                        the readers' names
//     TarnFuzz --try READER FILE...                                          what becomes of single files
import Foundation
import Tarn
import TarnData

private func reader(_ name: String) throws -> Reader {
  guard let reader = Reader.all.first(where: { $0.name == name }) else {
    throw UsageError("there is no reader '\(name)'; --list names them")
  }
  return reader
}

private func tried(_ words: [String]) throws -> Bool {
  guard let name = words.first else { throw UsageError("--try READER FILE...") }
  let reader = try reader(name)
  defer { Workplace.clear() }
  var isQuick = true
  for path in words.dropFirst() {
    let file = try FileBytes(mapping: URL(fileURLWithPath: path))
    var (outcome, time) = (Reader.Outcome.refused, Double.infinity)
    // Again where it took long: what is made once, and other work on the machine, is not the file's.
    for _ in 0..<5 where time > 1 {
      let start = Date.now
      outcome = file.withBytes { reader.feed($0) }
      time = min(time, Date.now.timeIntervalSince(start))
    }
    print("\(path): \(outcome) in \(Int(1000 * time)) ms")
    isQuick = isQuick && time <= 1
  }
  return isQuick
}

private func supervised(_ words: [String]) throws -> Bool {
  var (names, scratch, rounds, seconds) = ([String](), ".build-fuzz/work", 10_000, 600)
  var rest = words[...]
  while let word = rest.popFirst() {
    switch word {
    case "--scratch": scratch = rest.popFirst() ?? scratch
    case "--rounds": rounds = rest.popFirst().flatMap { Int($0) } ?? rounds
    case "--seconds": seconds = rest.popFirst().flatMap { Int($0) } ?? seconds
    default: names.append(word)
    }
  }
  let supervisor = Supervisor(
    scratch: URL(fileURLWithPath: scratch), rounds: rounds, seconds: seconds)
  return try supervisor.run(names.isEmpty ? Reader.all : names.map(reader))
}

private func main(_ words: [String]) throws -> Int32 {
  switch words.first {
  case "--list":
    print(Reader.all.map(\.name).joined(separator: "\n"))
    return 0
  case "--try": return try tried(Array(words.dropFirst())) ? 0 : 1
  case "--child" where words.count > 3:
    return Child.run(
      try reader(words[1]), counts: words[2], artifacts: words[3], Array(words.dropFirst(4)))
  default: return try supervised(words) ? 0 : 1
  }
}

do { exit(try main(Array(CommandLine.arguments.dropFirst()))) } catch {
  FileHandle.standardError.write(Data("TarnFuzz: \(error)\n".utf8))
  exit(64)
}
