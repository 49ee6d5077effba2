//! Plans and simulates sales.

use std::sync::Arc;
use std::time::Duration;

use onsale_model::costs::Costs;
use onsale_model::plan::Plan;
use onsale_model::simulation::{SimulationInput, Summary, recommend_watched};

use super::error::ForecastError;
use super::model::{Basis, PlanRequest, Simulation, SimulationRequest};
use super::worker::Worker;
use crate::admin::error::AdminError;
use crate::admin::seat::service::SeatAdmin;
use crate::concert::model::Schedule;
use crate::store::id::ScheduleId;

/// Plans and simulates sales; cheap to clone.
#[derive(Debug, Clone)]
pub struct Forecasts {
    seats: SeatAdmin,
    /// `ONSALE_POLLS_PER_SECOND` of this process.
    polls_ceiling: u32,
    worker: Worker,
    /// Simulates for rehearsals, for which nobody waits.
    patient: Worker,
}

/// Time limit of the simulation of a rehearsal.
const REHEARSAL_LIMIT: Duration = Duration::from_mins(2);

/// A schedule, and its seats that are for sale.
#[derive(Debug)]
struct OnSale {
    schedule: Arc<Schedule>,
    seats: u64,
}

impl OnSale {
    fn basis(&self) -> Basis<'_> {
        Basis { schedule: &self.schedule, seats: self.seats }
    }
}

impl Forecasts {
    /// Creates the service.
    #[must_use]
    pub fn new(seats: SeatAdmin, polls_ceiling: u32) -> Self {
        let (worker, patient) = (Worker::default(), Worker::with_limit(REHEARSAL_LIMIT));
        Self { seats, polls_ceiling, worker, patient }
    }

    /// Plans a sale.
    pub async fn plan(&self, request: &PlanRequest) -> Result<Plan, ForecastError> {
        let on_sale = self.read(request.schedule_id).await?;
        let basis = on_sale.as_ref().map(OnSale::basis);
        let input = request.input(basis, self.polls_ceiling)?;
        Ok(Plan::new(input, &Costs::measured()?))
    }

    /// Simulates a sale, on a thread of its own.
    ///
    /// # Errors
    /// [`ForecastError::Busy`] while this process simulates another one,
    /// [`ForecastError::TooLong`], and [`ForecastError::NoSettings`].
    pub async fn simulate(&self, request: &SimulationRequest) -> Result<Simulation, ForecastError> {
        let on_sale = self.read(request.schedule_id).await?;
        let input = request.input(on_sale.as_ref().map(OnSale::basis), self.polls_ceiling)?;
        let (seeds, within) = (request.seeds(), request.within_minutes);
        let simulate = self.worker.run(move |pace| {
            let Some(minutes) = within else {
                let summary = input.summary_watched(seeds, &mut || pace.keep())?;
                return Ok(Simulation { recommended: None, summary });
            };
            let found = recommend_watched(&input, minutes * 60.0, seeds, &mut || pace.keep())?;
            found.map(Simulation::from).ok_or(ForecastError::NoSettings)
        });
        simulate.await
    }

    /// Simulates the sale of a rehearsal, with the polls of this process.
    ///
    /// # Errors
    /// As [`Forecasts::simulate`].
    pub async fn predict(
        &self,
        mut input: SimulationInput,
        seeds: u64,
    ) -> Result<Summary, ForecastError> {
        input.rules.polls_ceiling = self.polls_ceiling;
        self.patient.run(move |pace| input.summary_watched(seeds, &mut || pace.keep())).await
    }

    /// The seats of a schedule that are for sale: those that are not blocked.
    pub async fn seats_for_sale(&self, schedule: &Schedule) -> Result<u64, AdminError> {
        let (blocked, _) = self.seats.blocked_seats(schedule.id).await?;
        let blocked = blocked.seat_ids.len() as u64;
        Ok(u64::from(schedule.seats_total).saturating_sub(blocked))
    }

    async fn read(&self, id: Option<ScheduleId>) -> Result<Option<OnSale>, AdminError> {
        let Some(id) = id else { return Ok(None) };
        if id.is_shadow() {
            return Err(AdminError::ScheduleNotFound);
        }
        let schedule = self.seats.sales.catalogue.schedule(id).await?;
        let seats = self.seats_for_sale(&schedule).await?;
        Ok(Some(OnSale { schedule, seats }))
    }
}
