//! `arc copy`: one image with everything that belongs to it, from one registry to another, without touching the disk.
//!
//! [`folder`] is for layouts and archives.

mod folder;
mod outcome;

use std::time::Duration;

use arc_oci::copy::{self, BlobMap, CopyOptions, Place, Referrers};
use arc_oci::{Client, Descriptor, Platform, Progress, Reference};
use arc_steps::Exit;

pub(crate) use outcome::{Copied, Outcome};

use crate::cli::{Copy, Output};
use crate::progress::{ArtifactDisplay, Display};
use crate::registry_access::{connect, failed, nothing_at, parse_platform, parse_reference};
use crate::report::Failure;

/// How often the bar is drawn.
const GLANCE: Duration = Duration::from_millis(100);

/// One image to copy, with the clients of both sides.
pub(crate) struct Task {
    pub(crate) source: Client,
    pub(crate) destination: Client,
    /// What to read; a tag or a digest.
    pub(crate) from: Reference,
    /// What to write; without a tag it is written by digest only.
    pub(crate) to: Reference,
    pub(crate) rules: Rules,
    pub(crate) blobs: BlobMap,
}

/// What of an image is copied, and how thoroughly.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) platforms: Vec<Platform>,
    pub(crate) referrers: Referrers,
    pub(crate) recheck: bool,
    pub(crate) dry_run: bool,
}

/// Runs the command.
pub(crate) async fn run(args: &Copy) -> Result<Exit, Failure> {
    let progress = Progress::new();
    let copied = if folder::is_one([&args.source, &args.destination]) {
        let display = Display::new().artifact(&args.source);
        watched(&display, &progress, Box::pin(folder::copy(args, &progress))).await?
    } else {
        let (source, from) = parse_reference(&args.source)?;
        let (destination, to) = parse_reference(&args.destination)?;
        let task = Task {
            source: connect(&args.how.source(), source, &from.repository)?,
            destination: connect(&args.how.destination(), destination, &to.repository)?,
            to: destination_of(&from, to, !args.platform.is_empty())?,
            from,
            rules: rules(args)?,
            blobs: BlobMap::with_memory(args.how.memory()),
        };
        let display = Display::new().artifact(&task.from.repository);
        watched(&display, &progress, Box::pin(task.run(&progress))).await?
    };
    match args.output {
        Output::Json => outcome::print_json(&copied)?,
        Output::Text => outcome::print_text(&copied),
    }
    Ok(Exit::Done)
}

fn rules(args: &Copy) -> Result<Rules, Failure> {
    let platforms = args.platform.iter().map(|text| parse_platform(text));
    Ok(Rules {
        platforms: platforms.collect::<Result<_, _>>()?,
        referrers: args.how.referrers(),
        recheck: args.how.recheck,
        dry_run: args.how.dry_run,
    })
}

/// Completes where to copy to: the source's tag when none is given; a digest has to be the source's own.
fn destination_of(
    from: &Reference,
    mut to: Reference,
    is_selection: bool,
) -> Result<Reference, Failure> {
    if let Some(wanted) = &to.digest
        && (is_selection || from.digest.as_ref() != Some(wanted))
    {
        let message = format!("{to} names a digest that the copy may not have");
        return Err(Failure::new(Exit::WrongInput, message)
            .hint("leave the digest out: a copy has its source's digest anyway"));
    }
    if to.tag.is_none() && to.digest.is_none() {
        let named = || from.digest.is_none().then(|| from.tag_or_digest());
        to.tag = from.tag.clone().or_else(named);
    }
    Ok(to)
}

/// Draws the bar until `work` has ended.
pub(crate) async fn watched<T>(
    display: &ArtifactDisplay,
    progress: &Progress,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    let mut ticks = tokio::time::interval(GLANCE);
    loop {
        tokio::select! {
            done = &mut work => {
                display.clear();
                return done;
            }
            _ = ticks.tick() => {
                let (done, total) = progress.snapshot();
                display.advance(done, total, "copying");
            }
        }
    }
}

impl Task {
    /// Copies the image, or only looks.
    pub(crate) async fn run(&self, progress: &Progress) -> Result<Copied, Failure> {
        if self.rules.dry_run { self.look().await } else { self.copy(progress).await }
    }

    fn options(&self) -> CopyOptions {
        CopyOptions {
            tag: self.to.tag.clone(),
            referrers: self.rules.referrers.clone(),
            platforms: self.rules.platforms.clone(),
            recheck: self.rules.recheck,
            blobs: self.blobs.clone(),
        }
    }

    async fn copy(&self, progress: &Progress) -> Result<Copied, Failure> {
        let options = self.options();
        let root = self.from.tag_or_digest();
        let (source, destination) = self.places();
        let report = copy::stream(source, &root, destination, &options, progress).await;
        let report = report.map_err(explain)?;
        Ok(Copied::new(&self.from, &self.to, report))
    }

    async fn look(&self) -> Result<Copied, Failure> {
        let (source, destination) = self.places();
        let root = self.resolve(&self.source, &self.from).await?;
        let root = root.ok_or_else(|| nothing_at(&self.from))?;
        let there = self.resolve(&self.destination, &self.to).await?;
        if there.is_some_and(|found| found.digest == root.digest) && !self.rules.recheck {
            return Ok(Copied::looked(&self.from, &self.to, &root.digest, None));
        }
        let name = root.digest.to_string();
        let plan = copy::plan_copy(source, &name, destination, &self.options()).await;
        let plan = plan.map_err(failed)?;
        Ok(Copied::looked(&self.from, &self.to, &root.digest, Some(&plan)))
    }

    async fn resolve(
        &self,
        client: &Client,
        reference: &Reference,
    ) -> Result<Option<Descriptor>, Failure> {
        let name = reference.tag_or_digest();
        client.resolve(&reference.repository, &name).await.map_err(failed)
    }

    fn places(&self) -> (Place<'_>, Place<'_>) {
        let source = Place { client: &self.source, repository: &self.from.repository };
        let destination = Place { client: &self.destination, repository: &self.to.repository };
        (source, destination)
    }
}

/// Says what to do about a refused login.
fn explain(error: arc_oci::Error) -> Failure {
    if !error.is_unauthorized() {
        return failed(error);
    }
    let message = crate::report::chain(&error);
    Failure::new(failed(error).exit, message).hint(
        "log in with `docker login`, or name a folder with --source-credentials or --destination-credentials",
    )
}
