import Foundation
import TarnCore
import TarnPlot

/// How far a piece of work is, and how its state reads as one line of text.
public struct ProgressState: Sendable, Equatable {
  /// What is being done, such as `epoch 3/20`.
  public var title: String
  /// Steps done.
  public var done: Int
  /// Steps in all; nil when unknown.
  public var total: Int?
  /// Seconds since the first step of this run.
  public var elapsed: Double
  /// Steps that were done already when the clock started, as after resuming.
  public var start: Int
  /// What the rate counts, such as `step` or `image`.
  public var unit: String
  /// Units in one step, such as the batch size.
  public var unitsPerStep: Int
  /// Loss and metrics, in the order they are shown.
  public var figures: [(name: String, value: Double)]

  public init(
    title: String, done: Int = 0, total: Int? = nil, elapsed: Double = 0, start: Int = 0,
    unit: String = "step", unitsPerStep: Int = 1, figures: [(name: String, value: Double)] = []
  ) {
    (self.title, self.done, self.total, self.elapsed) = (title, done, total, elapsed)
    (self.start, self.unit, self.unitsPerStep) = (start, unit, unitsPerStep)
    self.figures = figures
  }

  public static func == (a: ProgressState, b: ProgressState) -> Bool {
    a.title == b.title && a.done == b.done && a.total == b.total && a.elapsed == b.elapsed
      && a.start == b.start && a.unit == b.unit && a.unitsPerStep == b.unitsPerStep
      && a.figures.elementsEqual(b.figures, by: ==)
  }

  /// Steps a second since the start; nil before the first.
  public var stepsPerSecond: Double? {
    done > start && elapsed > 0 ? Double(done - start) / elapsed : nil
  }

  /// Seconds left at the rate so far.
  public var secondsLeft: Double? {
    guard let total, let stepsPerSecond else { return nil }
    return Double(max(total - done, 0)) / stepsPerSecond
  }

  /// The state in at most `width` columns. What matters least goes first when room is short: the
  /// figures from
  /// the last on, then the rate, then the bar.
  ///
  /// `epoch 3/20 ━━━━━━━━────  67 % 402/600  1,240 images/s  0:12 left  loss 0.2417  accuracy
  /// 0.931`
  public func line(width: Int) -> String {
    var figures = figures.map { "\($0.name) \(NumberText.short($0.value))" }
    var (showsRate, barWidth) = (true, 20)
    while true {
      var parts = [title]
      if let total, total > 0 {
        let share = min(max(Double(done) / Double(total), 0), 1)
        let percent = NumberText.fixed((share * 100).rounded(.down), decimals: 0)
        let bar = barWidth > 0 ? Self.bar(share, width: barWidth) + " " : ""
        let blanks = String(repeating: " ", count: max(3 - percent.count, 0))
        parts.append("\(bar)\(blanks)\(percent) % \(done)/\(total)")
      } else {
        parts.append("\(done) \(Self.plural(unit: "step", done))")
      }
      if showsRate, let rate = stepsPerSecond {
        let perSecond = NumberText.short(rate * Double(unitsPerStep), digits: 3)
        parts.append("\(perSecond) \(Self.plural(unit: unit, 2))/s")
      }
      if let left = secondsLeft, done < total ?? 0 {
        parts.append("\(Self.duration(left)) left")
      } else if elapsed > 0 {
        parts.append(Self.duration(elapsed))
      }
      let text = (parts + figures).joined(separator: "  ")
      if TextTable.columns(of: text) <= width { return text }
      if figures.count > 1 {
        figures.removeLast()
      } else if showsRate {
        showsRate = false
      } else if barWidth > 0 {
        barWidth -= 10
      } else if !figures.isEmpty {
        figures.removeLast()
      } else {
        return TextTable.cut(text, columns: width)
      }
    }
  }

  private static func plural(unit: String, _ count: Int) -> String {
    // Abbreviations such as MB have no plural.
    count == 1 || unit.last?.isUppercase == true ? unit : unit + "s"
  }

  private static func bar(_ share: Double, width: Int) -> String {
    let full = Int((share * Double(width)).rounded(.down))
    return String(repeating: "━", count: full) + String(repeating: "─", count: width - full)
  }

  /// Seconds as `0:07`, `12:30`, `3:05:00` or `2 d 4 h`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 3_600_000_000 else { return "∞" }
    let whole = Int(max(seconds, 0).rounded(.up))
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    if whole >= 172_800 { return "\(whole / 86_400) d \(whole % 86_400 / 3600) h" }
    if whole >= 3600 { return "\(whole / 3600):\(two(whole % 3600 / 60)):\(two(whole % 60))" }
    return "\(whole / 60):\(two(whole % 60))"
  }
}

/// Shows ``ProgressState`` on one line of the terminal, at most ten times a second.
///
/// It writes to standard error, and only where that is a terminal; elsewhere it is silent.
///
/// ```swift
/// let bar = ProgressBar(title: "epoch 1/20", total: 600, unit: "image", unitsPerStep: 100)
/// bar.update(done: 40, figures: [("loss", 0.31)])
/// bar.finish()
/// ```
public final class ProgressBar: Sendable {
  private struct State {
    var progress: ProgressState
    var lastShown: Double = -.infinity
  }

  private let state: Lock<State>
  private let began = ContinuousClock.now
  private let isShown: Bool

  /// - Parameters:
  ///   - start: Steps done before, as after resuming.
  ///   - isQuiet: Whether to show nothing even on a terminal.
  public init(
    title: String, total: Int? = nil, start: Int = 0, unit: String = "step", unitsPerStep: Int = 1,
    isQuiet: Bool = false
  ) {
    let progress = ProgressState(
      title: title, done: start, total: total, start: start, unit: unit, unitsPerStep: unitsPerStep)
    state = Lock(State(progress: progress))
    isShown = !isQuiet && isatty(STDERR_FILENO) == 1
  }

  /// Says how far the work is.
  public func update(done: Int, figures: [(name: String, value: Double)] = []) {
    guard isShown else { return }
    show(done: done, figures: figures, isForced: false)
  }

  /// Shows the last state and ends the line.
  public func finish() {
    guard isShown else { return }
    show(done: nil, figures: nil, isForced: true)
    Self.write("\n")
  }

  private func show(done: Int?, figures: [(name: String, value: Double)]?, isForced: Bool) {
    let elapsed = (ContinuousClock.now - began) / .seconds(1)
    let line: String? = state.withLock { state in
      if let done { state.progress.done = done }
      if let figures { state.progress.figures = figures }
      state.progress.elapsed = elapsed
      guard isForced || elapsed - state.lastShown >= 0.1 else { return nil }
      state.lastShown = elapsed
      return state.progress.line(width: Self.terminalWidth - 1)
    }
    // Back to the start of the line, the text, then blank to its end.
    if let line { Self.write("\r\(line)\u{1B}[K") }
  }

  private static var terminalWidth: Int {
    var size = winsize()
    let found = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return found ? Int(size.ws_col) : 80
  }

  private static func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
