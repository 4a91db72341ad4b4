import Tarn
import Testing

private let schedules: [(String, Schedule)] = [
  ("step", .steps(every: 10, factor: 0.5)),
  ("multistep", .milestones([15, 40, 50], factor: 0.1)),
  ("exponential", .exponential(factor: 0.95)),
  ("cosine", .cosine(steps: 60)),
  ("cosine_min", .cosine(steps: 60, minimum: 0.01)),
  ("warmup", .warmUp(steps: 12)),
  ("constant_warmup", .held(factor: 0.25, steps: 8)),
  ("polynomial", .polynomial(steps: 50, power: 2)),
  ("onecycle_cos", .oneCycle(peak: 0.5, steps: 60)),
  ("onecycle_linear", .oneCycle(peak: 0.5, steps: 60, annealing: .linear)),
  (
    "onecycle_threephase",
    .oneCycle(peak: 0.5, steps: 60, rising: 0.25, divisor: 10, finalDivisor: 100, threePhase: true)
  ),
  ("restarts", .restarts(first: 10)),
  ("restarts_mult2_min", .restarts(first: 8, multiplier: 2, minimum: 0.005)),
  ("cyclic_triangular", .triangular(low: 0.01, high: 0.1, rising: 10)),
  ("warmup_then_cosine", .sequence([.warmUp(steps: 10), .cosine(steps: 50)], switchingAt: [10])),
]

private let plateaus: [(String, Plateau)] = [
  ("plateau", Plateau(rate: 0.1, factor: 0.5, patience: 3)),
  (
    "plateau_cooldown_abs",
    Plateau(rate: 0.1, patience: 2, threshold: .absolute(0.01), cooldown: 4, minimum: 1e-3)
  ),
  ("plateau_max", Plateau(rate: 0.1, goal: .larger, factor: 0.5, patience: 3)),
]

@Suite struct ScheduleGoldenTests {
  @Test(arguments: schedules) func schedule(_ name: String, _ schedule: Schedule) throws {
    let rates = (0..<60).map { schedule.rate(at: $0, base: 0.1) }
    expectClose(Tensor(rates), try Goldens("schedules")(name, "rate"), 1e-12)
  }

  @Test(arguments: plateaus) func plateau(_ name: String, _ start: Plateau) throws {
    let goldens = try Goldens("schedules")
    var plateau = start
    var rates = [plateau.rate]
    for loss in try goldens("plateau_losses", "loss").array(of: Double.self).dropLast() {
      rates.append(plateau.rate(after: loss))
    }
    expectClose(Tensor(rates), try goldens(name, "rate"), 1e-12)
  }

  @Test(
    arguments: [
      ("ema", WeightAverage<Row>.Kind.exponential(decay: 0.99)),
      ("ema_09", .exponential(decay: 0.9)), ("swa", .mean),
    ])
  func average(_ name: String, _ kind: WeightAverage<Row>.Kind) throws {
    let goldens = try Goldens("schedules")
    let sequence = try goldens("average", "sequence")
    var average = WeightAverage<Row>(kind)
    for step in 0..<20 {
      average.update(Row(w: sequence[step]))
      let found = try #require(average.model)
      expectClose(found.w, try goldens(name, "average")[step], 1e-6, "step \(step)")
    }
  }

  @Test func everyCaseIsTested() throws {
    let tested = schedules.map(\.0) + plateaus.map(\.0)
    let others = ["plateau_losses", "average", "ema", "ema_09", "swa"]
    #expect(try Goldens("schedules").cases == Set(tested + others))
  }

  /// The rate of char-rnn's last epoch, from a user's log.
  @Test func charRNN() {
    let schedule = Schedule.decay(factor: 0.97, every: 423, from: 10 * 423)
    #expect(abs(schedule.rate(at: 50 * 423, base: 2e-3) - 5.7368e-4) < 1e-8)
  }
}

struct Row: Module {
  var w: Tensor
}
